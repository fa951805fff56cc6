#include "daemon/master/remains.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "daemon/master/cgroup_tree.hpp"
#include "tests/daemon/master/real_cgroup.hpp"

namespace viaduct::daemon::master {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class RemainsTest : public RealCgroupTest {
 protected:
  void SetUp() override {
    RealCgroupTest::SetUp();
    if (IsSkipped()) return;
    tree = std::make_unique<CgroupTree>(place_at(directory_));
    remains = std::make_unique<Remains>(io, *tree);
  }
  void TearDown() override {
    remains.reset();
    tree.reset();
    RealCgroupTest::TearDown();
  }

  // A process in the cgroup of a worker that has ended.
  pid_t leave(const std::string& name) { return enter(tree->create(name, {}).get()); }

  bool exists(const std::string& name) const {
    return std::filesystem::exists(directory_ + '/' + name);
  }
  static bool lives(pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) == 0; }
  // The signal by which it ends.
  static int end_of(pid_t pid) {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

  boost::asio::io_context io;
  std::unique_ptr<CgroupTree> tree;
  std::unique_ptr<Remains> remains;
};

TEST_F(RemainsTest, AnEmptyCgroupGoesAtOnce) {
  tree->create("shop.1.1", {});
  remains->add("shop.1.1", hours(1));
  EXPECT_FALSE(exists("shop.1.1"));
}

TEST_F(RemainsTest, WhatIsLeftIsKilledAfterItsGraceAndNotBefore) {
  const pid_t early = leave("shop.1.1");
  const pid_t late = leave("shop.1.2");
  remains->add("shop.1.2", hours(1));
  remains->add("shop.1.1", milliseconds(1));
  EXPECT_TRUE(lives(early));
  io.run_one();
  EXPECT_EQ(end_of(early), SIGKILL);
  remains->look();
  EXPECT_FALSE(exists("shop.1.1"));
  EXPECT_TRUE(lives(late));
  EXPECT_TRUE(exists("shop.1.2"));
  remains.reset();
  EXPECT_EQ(end_of(late), SIGKILL) << "nobody would look after it";
}

TEST_F(RemainsTest, WithoutAGraceItLivesAsLongAsTheMaster) {
  const pid_t left = leave("shop.1.1");
  remains->add("shop.1.1", milliseconds(0));
  EXPECT_EQ(io.run(), 0u) << "nothing is waited for";
  EXPECT_TRUE(lives(left));
  remains.reset();
  EXPECT_EQ(end_of(left), SIGKILL);
}

TEST_F(RemainsTest, WhatEndsByItselfIsNoticed) {
  const pid_t left = leave("shop.1.1");
  remains->add("shop.1.1", hours(1));
  ::kill(left, SIGTERM);
  EXPECT_EQ(end_of(left), SIGTERM);
  remains->look();
  EXPECT_FALSE(exists("shop.1.1"));
}

// The timer has expired, its handler waits to be called.
TEST_F(RemainsTest, AnotherCgroupThatHasBecomeEmptyMeanwhileIsForgotten) {
  const pid_t left = leave("shop.1.1");
  remains->add("shop.1.1", milliseconds(-1));
  ::kill(left, SIGTERM);
  EXPECT_EQ(end_of(left), SIGTERM);
  remains->look();
  tree->create("shop.1.1", {});
  io.run();
  EXPECT_TRUE(exists("shop.1.1")) << "it is somebody else's";
  tree->remove("shop.1.1");
}

}  // namespace
}  // namespace viaduct::daemon::master
