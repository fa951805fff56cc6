#include "daemon/master/children.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <map>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

class ChildrenTest : public testing::Test {
 protected:
  ChildrenTest() {
    children_.when_orphan_ends([this] { ++looks_; });
  }

  // Makes a child that has ended, with this status.
  static pid_t ended(int status = 0) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(status);
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) != 0 &&
           errno == EINTR) {
    }
    return child;
  }
  static bool is_reaped(pid_t child) {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT | WNOHANG) != 0;
  }
  void run_until_reaped(pid_t child) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!is_reaped(child) && std::chrono::steady_clock::now() < end) {
      io_.run_one_for(std::chrono::seconds(1));
    }
    ASSERT_TRUE(is_reaped(child));
    io_.poll();
  }

  boost::asio::io_context io_;
  Children children_{io_};
  int looks_ = 0;
};

TEST_F(ChildrenTest, HoweverManyOrphansHaveEndedOneLookIsTaken) {
  pid_t last = -1;
  for (int i = 0; i < 20; ++i) last = ended();
  run_until_reaped(last);
  EXPECT_EQ(looks_, 1);
}

TEST_F(ChildrenTest, ManyAreReapedInSeveralTurns) {
  pid_t last = -1;
  for (int i = 0; i < 300; ++i) last = ended();
  run_until_reaped(last);
  EXPECT_EQ(looks_, 2);
}

TEST_F(ChildrenTest, WhoWatchesHearsTheStatusAndOthersAreNoOrphans) {
  std::map<pid_t, int> statuses;
  const auto watch = [&](pid_t child) {
    children_.watch(child, [&statuses, child](int status) { statuses[child] = status; });
  };
  const pid_t watched = ended(3);
  const pid_t forgotten = ended(4);
  watch(watched);
  watch(forgotten);
  children_.forget(forgotten);
  run_until_reaped(forgotten);
  run_until_reaped(watched);
  ASSERT_EQ(statuses.size(), 1u);
  EXPECT_EQ(WEXITSTATUS(statuses[watched]), 3);
  EXPECT_EQ(looks_, 0);
}

}  // namespace
}  // namespace viaduct::daemon::master
