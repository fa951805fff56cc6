// Another user may have put a file of his own at the path of a socket.
#include "daemon/master/socket_file.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <gtest/gtest.h>

#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master {
namespace {

UniqueFd stream_socket() {
  return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

class SocketFileTest : public ::testing::Test {
 protected:
  SocketFileTest() {
    std::ofstream(secret) << "secret";
    ::chmod(secret.c_str(), 0600);
  }

  // Makes `path` a symbolic link to the secret.
  void plant_link() {
    ASSERT_EQ(::unlink(path.c_str()), 0);
    ASSERT_EQ(::symlink(secret.c_str(), path.c_str()), 0);
  }

  const TemporaryDirectory directory;
  const std::string path = directory / "web.sock";
  const std::string secret = directory / "secret";
  UniqueFd socket = stream_socket();
};

TEST_F(SocketFileTest, ModeIsExactWhateverTheUmask) {
  for (const mode_t umask : {0000, 0022, 0077}) {
    const mode_t before = ::umask(umask);
    const UniqueFd other = stream_socket();
    const std::string name = directory / (std::to_string(umask) + ".sock");
    SocketFile::bind(other.get(), name, 0666);
    EXPECT_EQ(::umask(before), umask) << "the umask is as before";
    EXPECT_EQ(mode_of(name), 0666u);
  }
}

TEST_F(SocketFileTest, ModeAndOwnerChangeByDescriptor) {
  const SocketFile file = SocketFile::bind(socket.get(), path, 0600);
  file.set_mode(0660);
  file.set_owner(::geteuid(), ::getegid());
  EXPECT_EQ(mode_of(path), 0660u);
}

TEST_F(SocketFileTest, ALinkInItsPlaceIsNotFollowed) {
  const SocketFile file = SocketFile::bind(socket.get(), path, 0600);
  plant_link();
  EXPECT_THROW(file.set_mode(0666), std::system_error);
  EXPECT_THROW(file.set_owner(65534, 65534), std::system_error);
  EXPECT_EQ(mode_of(secret), 0600u);
  file.unlink();
  EXPECT_TRUE(exists(path)) << "not ours";
  EXPECT_TRUE(exists(secret));
}

TEST_F(SocketFileTest, AnotherSocketInItsPlaceIsLeftAlone) {
  const SocketFile file = SocketFile::bind(socket.get(), path, 0600);
  ASSERT_EQ(::rename(path.c_str(), (directory / "old.sock").c_str()), 0);
  const UniqueFd other = stream_socket();
  SocketFile::bind(other.get(), path, 0600);
  EXPECT_THROW(file.set_mode(0666), std::system_error);
  EXPECT_EQ(mode_of(path), 0600u);
  file.unlink();
  EXPECT_TRUE(exists(path));
}

TEST_F(SocketFileTest, ADirectoryInTheSamePlaceIsAnotherOne) {
  const std::string inner = directory / "inner";
  ASSERT_EQ(::mkdir(inner.c_str(), 0755), 0);
  const SocketFile file = SocketFile::bind(socket.get(), inner + "/web.sock", 0600);
  ASSERT_EQ(::rename(inner.c_str(), (directory / "moved").c_str()), 0);
  ASSERT_EQ(::mkdir(inner.c_str(), 0755), 0);
  const UniqueFd other = stream_socket();
  SocketFile::bind(other.get(), inner + "/web.sock", 0600);
  file.set_mode(0660);
  EXPECT_EQ(mode_of(inner + "/web.sock"), 0600u);
  EXPECT_EQ(mode_of(directory / "moved/web.sock"), 0660u);
  file.unlink();
  EXPECT_TRUE(exists(inner + "/web.sock"));
  EXPECT_FALSE(exists(directory / "moved/web.sock"));
}

TEST_F(SocketFileTest, IsInPlaceAsLongAsItsPathLeadsToIt) {
  const std::string inner = directory / "inner";
  const std::string inner_path = inner + "/web.sock";
  const auto make = [&] {
    std::filesystem::remove_all(inner);
    std::filesystem::create_directory(inner);
    socket = stream_socket();
    return SocketFile::bind(socket.get(), inner_path, 0600);
  };
  EXPECT_TRUE(make().in_place());

  const SocketFile removed = make();
  ::unlink(inner_path.c_str());
  EXPECT_FALSE(removed.in_place());
  const UniqueFd other = stream_socket();
  SocketFile::bind(other.get(), inner_path, 0600);
  EXPECT_FALSE(removed.in_place()) << "another socket";

  const SocketFile linked = make();
  std::filesystem::rename(inner_path, inner + "/elsewhere");
  std::filesystem::create_symlink(inner + "/elsewhere", inner_path);
  EXPECT_FALSE(linked.in_place()) << "a link, even to the very socket";

  const SocketFile moved = make();
  std::filesystem::rename(inner, directory / "moved");
  EXPECT_FALSE(moved.in_place()) << "its directory is elsewhere";
}

TEST_F(SocketFileTest, OnlySocketsAreFound) {
  EXPECT_FALSE(SocketFile::find(path));
  EXPECT_FALSE(SocketFile::find(secret));
  EXPECT_FALSE(SocketFile::find(directory / "no/such.sock"));
  SocketFile::bind(socket.get(), path, 0600);
  EXPECT_TRUE(SocketFile::find(path));
  plant_link();
  EXPECT_FALSE(SocketFile::find(path));
}

// Root makes none where a link of another user, in the middle of the path, leads to.
TEST_F(SocketFileTest, ALinkOfAnotherUserLeadsNowhere) {
  if (::geteuid() != 0) GTEST_SKIP() << "about being root";
  const std::string real = directory / "real";
  const std::string link = directory / "link";
  std::filesystem::create_directory(real);
  std::filesystem::create_directory_symlink(real, link);
  EXPECT_NO_THROW(SocketFile::check_place(link + "/a.sock")) << "root's own";
  const UniqueFd other = stream_socket();
  const SocketFile file = SocketFile::bind(other.get(), link + "/own.sock", 0600);
  ASSERT_EQ(::lchown(link.c_str(), 1, 1), 0);
  try {
    SocketFile::bind(socket.get(), link + "/web.sock", 0600);
    ADD_FAILURE() << "bound";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EPERM);
    EXPECT_NE(std::string(error.what()).find(link + ", which a link of another user leads to"),
              std::string::npos);
  }
  EXPECT_FALSE(exists(real + "/web.sock"));
  EXPECT_THROW(SocketFile::check_place(link + "/web.sock"), std::system_error);
  EXPECT_FALSE(SocketFile::find(link + "/own.sock"));
  EXPECT_FALSE(file.in_place());
  ASSERT_EQ(::chown(real.c_str(), 1, 1), 0);
  EXPECT_NO_THROW(SocketFile::check_place(link + "/web.sock")) << "to a directory of his own";
}

}  // namespace
}  // namespace viaduct::daemon::master
