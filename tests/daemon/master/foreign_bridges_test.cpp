#include "daemon/master/foreign_bridges.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

class ForeignBridgesTest : public testing::Test {
 protected:
  static constexpr std::chrono::seconds kPatience{60};

  ~ForeignBridgesTest() override {
    for (const pid_t pid : children_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }

  pid_t start() {
    const pid_t pid = ::fork();
    if (pid == 0) {
      while (true) ::pause();
    }
    children_.push_back(pid);
    return pid;
  }

  void until_ended(std::size_t count) {
    while (ended_.size() < count) ASSERT_EQ(io_.run_one_for(kPatience), 1u);
  }

  std::vector<pid_t> children_;
  boost::asio::io_context io_;
  std::vector<pid_t> ended_;
  ForeignBridges bridges_{io_, [this](pid_t pid) { ended_.push_back(pid); }};
};

TEST_F(ForeignBridgesTest, AreKnownAsLongAsTheyLive) {
  const pid_t pid = start();
  bridges_.add(handle_of_child(pid));
  EXPECT_TRUE(bridges_.contains(pid));
  EXPECT_FALSE(bridges_.contains(::getpid()));
  io_.poll();
  EXPECT_TRUE(bridges_.contains(pid));
  ::kill(pid, SIGKILL);
  until_ended(1);
  EXPECT_EQ(ended_, std::vector<pid_t>{pid});
  EXPECT_FALSE(bridges_.contains(pid)) << "the number may soon be another process's";
}

TEST_F(ForeignBridgesTest, WithoutAHandleItHasEnded) {
  bridges_.add({7, {}});
  EXPECT_EQ(ended_, std::vector<pid_t>{7});
  EXPECT_FALSE(bridges_.contains(7));
}

TEST_F(ForeignBridgesTest, AreKilledOnceAndNobodyElseIs) {
  const pid_t pid = start();
  bridges_.add(handle_of_child(pid));
  EXPECT_FALSE(bridges_.kill(::getpid()));
  EXPECT_TRUE(bridges_.kill(pid));
  EXPECT_FALSE(bridges_.kill(pid));
  until_ended(1);
  int status = 0;
  ASSERT_EQ(::waitpid(children_.front(), &status, 0), pid);
  children_.clear();
  EXPECT_TRUE(WIFSIGNALED(status));
}

TEST_F(ForeignBridgesTest, AllCanBeKilled) {
  for (int i = 0; i < 3; ++i) bridges_.add(handle_of_child(start()));
  bridges_.kill_all();
  until_ended(3);
}

TEST_F(ForeignBridgesTest, HandlesAreOfTheSameProcesses) {
  const pid_t pid = start();
  bridges_.add(handle_of_child(pid));
  auto handles = bridges_.handles();
  ASSERT_EQ(handles.size(), 1u);
  EXPECT_EQ(handles[0].pid, pid);
  std::vector<pid_t> ended;
  ForeignBridges next(io_, [&](pid_t gone) { ended.push_back(gone); });
  next.add(std::move(handles[0]));
  EXPECT_TRUE(next.kill(pid));
  until_ended(1);
  EXPECT_EQ(ended_, std::vector<pid_t>{pid});
}

TEST_F(ForeignBridgesTest, ThereIsALimit) {
  const pid_t pid = start();
  for (std::size_t i = 0; i < ForeignBridges::kMax; ++i) {
    BridgeHandle bridge = handle_of_child(pid);
    bridge.pid = static_cast<pid_t>(100'000'000 + i);
    bridges_.add(std::move(bridge));
  }
  EXPECT_TRUE(bridges_.contains(100'000'000 + ForeignBridges::kMax - 1));
  bridges_.add(handle_of_child(pid));
  EXPECT_FALSE(bridges_.contains(pid));
}

}  // namespace
}  // namespace viaduct::daemon::master
