#include "daemon/config/text_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

int failure(const std::string& path) {
  const auto result = read_text_file(path);
  const auto* failed = std::get_if<ReadFailure>(&result);
  return failed == nullptr ? 0 : failed->error;
}

class TextFile : public testing::Test {
 protected:
  const ConfigDir directory;
};

TEST_F(TextFile, LimitOfItsLength) {
  const std::string path = directory.path("text");
  for (const std::size_t size : {std::size_t{0}, kMaxFileBytes - 1, kMaxFileBytes}) {
    std::ofstream(path, std::ios::trunc) << std::string(size, 'x');
    EXPECT_EQ(std::get<std::string>(read_text_file(path)).size(), size);
  }
  std::ofstream(path, std::ios::trunc) << std::string(kMaxFileBytes + 1, 'x');
  EXPECT_EQ(failure(path), EFBIG);
}

// Whoever puts one in the place of an env_file must not stop the daemon.
TEST_F(TextFile, APipeIsRefusedAtOnceWhetherOrNotSomebodyWrites) {
  const std::string path = directory.path("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(failure(path), ESPIPE);
  const int both = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(both, 0);
  EXPECT_EQ(failure(path), ESPIPE);
  ::close(both);
}

TEST_F(TextFile, OtherThingsThatAreNoFiles) {
  EXPECT_EQ(failure(directory.path("")), EISDIR);
  EXPECT_EQ(failure(directory.path("none")), ENOENT);
  EXPECT_EQ(std::get<std::string>(read_text_file("/dev/null")), "");
  EXPECT_NE(describe_errno(ESPIPE).find("pipe"), std::string::npos);
}

TEST_F(TextFile, ADescriptorThatTheCallerNamesMayBeAPipe) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "A=1", 3), 3);
  ::close(ends[1]);
  EXPECT_EQ(std::get<std::string>(read_text_file("/dev/fd/" + std::to_string(ends[0]))), "A=1");
  ::close(ends[0]);
}

}  // namespace
}  // namespace viaduct::daemon::config
