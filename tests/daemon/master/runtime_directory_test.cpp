#include "daemon/master/runtime_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include <gtest/gtest.h>

#include "daemon/master/socket_address.hpp"
#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master {
namespace {

config::Account bridge_account() {
  config::Account account;
  account.uid = ::geteuid() == 0 ? 65534 : ::geteuid();
  account.gid = ::geteuid() == 0 ? 65534 : ::getegid();
  return account;
}

struct stat status_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status;
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

TEST(RuntimeDirectoryTest, OnlyTheDaemonMakesFilesInTheWorkersDirectory) {
  const TemporaryDirectory directory;
  const RuntimeDirectory runtime(directory / "run", bridge_account());
  EXPECT_EQ(runtime.path(), directory / ("run/" + std::to_string(::getpid())));
  EXPECT_EQ(status_of(directory / "run").st_mode & 07777, 0755u);
  const auto workers = status_of(runtime.path() + "/workers");
  EXPECT_EQ(workers.st_mode & 07777, ::geteuid() == 0 ? 0711u : 0700u);
  EXPECT_EQ(workers.st_uid, ::geteuid());
}

TEST(RuntimeDirectoryTest, ModesDoNotDependOnTheUmask) {
  const TemporaryDirectory directory;
  const mode_t before = ::umask(0077);
  const RuntimeDirectory runtime(directory / "run", bridge_account());
  const UniqueFd listener = runtime.listen_for_worker(7);
  ::umask(before);
  EXPECT_EQ(status_of(directory / "run").st_mode & 07777, 0755u);
  EXPECT_EQ(status_of(runtime.path()).st_mode & 07777, 0711u);
  EXPECT_EQ(status_of(runtime.worker_socket(7)).st_mode & 07777, 0600u);
}

// A bridge that somebody has taken over.
TEST(RuntimeDirectoryTest, TheBridgesUserCannotReplaceAWorkersSocket) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const TemporaryDirectory directory;
  const RuntimeDirectory runtime(directory / "run", bridge_account());
  const UniqueFd listener = runtime.listen_for_worker(7);
  const std::string socket = runtime.worker_socket(7);
  const std::string target = runtime.path() + "/workers/target";
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(bridge_account().gid) != 0 || ::setuid(bridge_account().uid) != 0) ::_exit(2);
    const bool refused = ::symlink("/etc/shadow", target.c_str()) != 0 &&
                         ::rename(socket.c_str(), target.c_str()) != 0 &&
                         ::unlink(socket.c_str()) != 0;
    ::_exit(refused ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(RuntimeDirectoryTest, ALinkInThePlaceOfAnOwnDirectoryIsNotFollowed) {
  const TemporaryDirectory directory;
  const std::string own = directory / std::to_string(::getpid());
  ::mkdir((directory / "secret").c_str(), 0700);
  ASSERT_EQ(::symlink((directory / "secret").c_str(), own.c_str()), 0);
  EXPECT_THROW(RuntimeDirectory(directory.path(), bridge_account()), std::system_error);
  EXPECT_EQ(status_of(directory / "secret").st_mode & 07777, 0700u);
}

TEST(RuntimeDirectoryTest, RootTrustsNoDirectoryThatOthersMayChange) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const TemporaryDirectory directory;
  const auto refused = [&](uid_t owner, mode_t mode) {
    EXPECT_EQ(::chown(directory.path().c_str(), owner, owner), 0);
    EXPECT_EQ(::chmod(directory.path().c_str(), mode), 0);
    try {
      const RuntimeDirectory runtime(directory.path(), bridge_account());
      return std::string();
    } catch (const std::system_error& error) {
      return std::string(error.what());
    }
  };
  EXPECT_NE(refused(65534, 0755).find("belongs to user 65534"), std::string::npos);
  EXPECT_NE(refused(0, 0775).find("may be written by other users"), std::string::npos);
  EXPECT_NE(refused(0, 0757).find("may be written by other users"), std::string::npos);
  EXPECT_EQ(refused(0, 01777), "") << "sticky: emptyDir of Kubernetes";
  EXPECT_EQ(refused(0, 0755), "");
}

TEST(RuntimeDirectoryTest, WorkerSocketsAreThoseOfTheBridgeAlone) {
  const TemporaryDirectory directory;
  const RuntimeDirectory runtime(directory / "run", bridge_account());
  const UniqueFd listener = runtime.listen_for_worker(7);
  const auto socket = status_of(runtime.worker_socket(7));
  EXPECT_TRUE(S_ISSOCK(socket.st_mode));
  EXPECT_EQ(socket.st_mode & 07777, 0600u);
  EXPECT_EQ(socket.st_uid, bridge_account().uid);
  EXPECT_TRUE(probe_listener(unix_address(runtime.worker_socket(7))).alive);
  runtime.remove_worker_socket(7);
  EXPECT_FALSE(exists(runtime.worker_socket(7)));
}

TEST(RuntimeDirectoryTest, KnowsWhichWorkerSocketsAreThere) {
  const TemporaryDirectory directory;
  RuntimeDirectory runtime(directory / "run", bridge_account());
  EXPECT_FALSE(runtime.has_worker_socket(7));
  const UniqueFd first = runtime.listen_for_worker(7);
  const UniqueFd second = runtime.listen_for_worker(8);
  EXPECT_TRUE(runtime.has_worker_socket(7));
  std::filesystem::remove(runtime.worker_socket(7));
  EXPECT_FALSE(runtime.has_worker_socket(7));
  std::ofstream(runtime.worker_socket(7)) << "no socket";
  EXPECT_FALSE(runtime.has_worker_socket(7));
  EXPECT_TRUE(runtime.has_worker_socket(8));
  std::filesystem::remove_all(runtime.path());
  EXPECT_TRUE(runtime.renew());
  EXPECT_FALSE(runtime.has_worker_socket(8));
}

TEST(RuntimeDirectoryTest, IsRemovedWithItsDaemon) {
  const TemporaryDirectory directory;
  std::optional<RuntimeDirectory> runtime(std::in_place, directory / "run", bridge_account());
  const std::string path = runtime->path();
  const UniqueFd listener = runtime->listen_for_worker(1);
  runtime.reset();
  EXPECT_FALSE(exists(path));
  EXPECT_TRUE(exists(directory / "run"));
}

TEST(RuntimeDirectoryTest, IsMadeAgainWhereItIsGone) {
  const TemporaryDirectory parent;
  const std::string path = parent / "run";
  RuntimeDirectory runtime(path, bridge_account());
  EXPECT_FALSE(runtime.renew());
  for (const std::string& gone : {path, runtime.path(), runtime.path() + "/workers"}) {
    std::filesystem::remove_all(gone);
    EXPECT_ANY_THROW(runtime.listen_for_worker(1)) << gone;
    EXPECT_TRUE(runtime.renew()) << gone;
    EXPECT_FALSE(runtime.renew()) << gone;
    EXPECT_TRUE(runtime.listen_for_worker(1)) << gone;
    const UniqueFd lock(::open((runtime.path() + "/lock").c_str(), O_RDWR));
    EXPECT_NE(::flock(lock.get(), LOCK_EX | LOCK_NB), 0) << "its daemon lives, " << gone;
  }
}

TEST(RuntimeDirectoryTest, IsMadeAgainByTheNextTryWhereOneFails) {
  const TemporaryDirectory directory;
  RuntimeDirectory runtime(directory.path(), bridge_account());
  std::filesystem::remove_all(runtime.path());
  ::mkdir(runtime.path().c_str(), 0711);
  UniqueFd other(::open((runtime.path() + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THROW(runtime.renew(), std::system_error) << "somebody has the lock";
  }
  other.reset();
  EXPECT_TRUE(runtime.renew());
  EXPECT_FALSE(runtime.renew());
  EXPECT_TRUE(runtime.listen_for_worker(1));
}

TEST(RuntimeDirectoryTest, KeepsItsLockWhereOnlyTheWorkersDirectoryIsGone) {
  const TemporaryDirectory directory;
  RuntimeDirectory runtime(directory.path(), bridge_account());
  for (const bool lock_too : {false, true}) {
    std::filesystem::remove_all(runtime.path() + "/workers");
    if (lock_too) std::filesystem::remove(runtime.path() + "/lock");
    EXPECT_TRUE(runtime.renew());
    const UniqueFd lock(::open((runtime.path() + "/lock").c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(lock);
    EXPECT_NE(::flock(lock.get(), LOCK_EX | LOCK_NB), 0) << "its daemon lives";
  }
}

TEST(RuntimeDirectoryTest, OnlyWhatDeadDaemonsLeftIsRemoved) {
  const TemporaryDirectory directory;
  for (const char* name : {"111", "222", "keep"}) {
    ::mkdir((directory / name).c_str(), 0755);
    std::ofstream(directory / (std::string(name) + "/lock")) << "";
  }
  ::mkdir((directory / "333").c_str(), 0755);
  const UniqueFd alive(::open((directory / "222/lock").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(alive.get(), LOCK_EX), 0);

  const RuntimeDirectory runtime(directory.path(), bridge_account());
  EXPECT_FALSE(exists(directory / "111"));
  EXPECT_TRUE(exists(directory / "222")) << "its daemon lives";
  EXPECT_TRUE(exists(directory / "333")) << "no lock: not known to be one of ours";
  EXPECT_TRUE(exists(directory / "keep")) << "no number";
}

TEST(RuntimeDirectoryTest, WhatIsRemovedLeadsNowhere) {
  const TemporaryDirectory directory;
  ::mkdir((directory / "roots").c_str(), 0700);
  std::ofstream(directory / "roots/secret") << "secret";
  const auto plant = [&](const std::string& in) {
    ASSERT_EQ(::symlink((directory / "roots").c_str(), (in + "/link").c_str()), 0);
    ASSERT_EQ(::symlink((directory / "roots/secret").c_str(), (in + "/file").c_str()), 0);
    ASSERT_EQ(::mkfifo((in + "/pipe").c_str(), 0600), 0);
  };
  ::mkdir((directory / "run").c_str(), 0755);
  ::mkdir((directory / "run/111").c_str(), 0755);
  ::mkdir((directory / "run/111/workers").c_str(), 0755);
  std::ofstream(directory / "run/111/lock") << "";
  plant(directory / "run/111");
  plant(directory / "run/111/workers");
  std::optional<RuntimeDirectory> runtime(std::in_place, directory / "run", bridge_account());
  EXPECT_FALSE(exists(directory / "run/111"));
  plant(runtime->path());
  plant(runtime->path() + "/workers");
  const std::string own = runtime->path();
  runtime.reset();
  EXPECT_FALSE(exists(own));
  EXPECT_TRUE(exists(directory / "roots/secret"));
}

TEST(RuntimeDirectoryTest, ItIsRemovedWhereItIsAndNotWhereItsPathLeads) {
  const TemporaryDirectory directory;
  std::optional<RuntimeDirectory> runtime(std::in_place, directory / "run", bridge_account());
  const std::string name = std::to_string(::getpid());
  std::filesystem::rename(directory / "run", directory / "moved");
  std::filesystem::create_directories(directory / ("roots/" + name));
  ASSERT_EQ(::symlink((directory / "roots").c_str(), (directory / "run").c_str()), 0);
  runtime.reset();
  EXPECT_TRUE(exists(directory / ("roots/" + name)));
  EXPECT_FALSE(exists(directory / ("moved/" + name)));
}

TEST(RuntimeDirectoryTest, ErrorNamesThePath) {
  try {
    const RuntimeDirectory runtime("/proc/viaduct", bridge_account());
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("/proc/viaduct"), std::string::npos);
  }
}

}  // namespace
}  // namespace viaduct::daemon::master
