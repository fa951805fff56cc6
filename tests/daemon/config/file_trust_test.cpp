#include "daemon/config/file_trust.hpp"

#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <variant>

#include <gtest/gtest.h>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/system.hpp"
#include "daemon/config/text_file.hpp"
#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

TEST(FileTrust, FilesOfTheSystemAreRootsAlone) {
  EXPECT_TRUE(only_root_can_change("/etc/passwd"));
  EXPECT_FALSE(only_root_can_change("/etc/no such file"));
  EXPECT_FALSE(only_root_can_change("etc/passwd")) << "relative to what";
}

TEST(FileTrust, EveryDirectoryAboveCounts) {
  const ConfigDir dir;
  dir.write("file", "x");
  EXPECT_FALSE(only_root_can_change(dir.path("file"))) << "below /tmp, where everybody may write";
}

TEST(FileTrust, LinksLeadWhereOthersLike) {
  const ConfigDir dir;
  ASSERT_EQ(::symlink("/etc/passwd", dir.path("link").c_str()), 0);
  EXPECT_FALSE(only_root_can_change(dir.path("link")));
}

// A link to a file of root's, in the place of one that its owner may read.
TEST(FileTrust, NothingIsReadThatTheUserCannotRead) {
  if (::geteuid() != 0) GTEST_SKIP() << "about being root";
  const ConfigDir dir;
  ASSERT_EQ(::chmod(dir.path("").c_str(), 0755), 0);
  dir.write("secret", "PASSWORD=root\n");
  dir.write("env", "A=1\n");
  ASSERT_EQ(::chmod(dir.path("secret").c_str(), 0600), 0);
  ASSERT_EQ(::chmod(dir.path("env").c_str(), 0644), 0);
  ASSERT_EQ(::symlink("secret", dir.path("link").c_str()), 0);
  const auto daemon = real_system().find_user("daemon");
  ASSERT_TRUE(daemon);
  const auto text = [&](const char* name) {
    auto result = read_text_file_as(*daemon, dir.path(name));
    const auto* failure = std::get_if<ReadFailure>(&result);
    return failure != nullptr ? describe_errno(failure->error) : std::get<std::string>(result);
  };
  EXPECT_EQ(text("env"), "A=1\n");
  EXPECT_EQ(text("secret"), "Permission denied (EACCES)");
  EXPECT_EQ(text("link"), "Permission denied (EACCES)");
  EXPECT_EQ(::geteuid(), 0U) << "only the thread that read was somebody else";
}

// A user whom the thread belonged to could end the process while a file of his is slow to open.
TEST(FileTrust, TheThreadThatReadsTakesNoSignalsOfTheUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "about being root";
  const ConfigDir dir;
  ASSERT_EQ(::chmod(dir.path("").c_str(), 0755), 0);
  dir.write("env", "A=1\n");
  ASSERT_EQ(::chmod(dir.path("env").c_str(), 0644), 0);
  const UniqueFd gate(::fanotify_init(FAN_CLASS_CONTENT | FAN_REPORT_TID | FAN_CLOEXEC, O_RDONLY));
  if (!gate || ::fanotify_mark(gate.get(), FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD,
                               dir.path("env").c_str()) != 0) {
    GTEST_SKIP() << "the kernel does not ask before it opens a file";
  }
  const auto daemon = real_system().find_user("daemon");
  ASSERT_TRUE(daemon);
  std::thread reader([&] { (void)read_text_file_as(*daemon, dir.path("env")); });
  fanotify_event_metadata event{};
  EXPECT_EQ(::read(gate.get(), &event, sizeof event), static_cast<ssize_t>(sizeof event));
  std::ifstream file("/proc/" + std::to_string(event.pid) + "/status");
  std::string uids;
  while (std::getline(file, uids) && !uids.starts_with("Uid:")) {
  }
  const fanotify_response allow{event.fd, FAN_ALLOW};
  EXPECT_EQ(::write(gate.get(), &allow, sizeof allow), static_cast<ssize_t>(sizeof allow));
  reader.join();
  ::close(event.fd);
  EXPECT_EQ(uids, "Uid:\t0\t0\t0\t" + std::to_string(daemon->uid));
}

}  // namespace
}  // namespace viaduct::daemon::config
