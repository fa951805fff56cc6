// A bridge in other hands against its master.
#include "daemon/master/bridge_process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "daemon/channel/request_list.hpp"
#include "daemon/channel/sealed_memory.hpp"
#include "daemon/master/cgroup_tree.hpp"
#include "daemon/master/children.hpp"
#include "daemon/master/log_copier.hpp"
#include "daemon/master/log_set.hpp"
#include "daemon/master/remains.hpp"
#include "daemon/master/runtime_directory.hpp"
#include "tests/daemon/master/no_cgroups.hpp"
#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master {
namespace {

using channel::Type;

std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

class BridgeProcessTest : public testing::Test, protected BridgeObserver {
 protected:
  static constexpr std::chrono::seconds kPatience{60};
  static constexpr std::size_t kApps = 1;

  ~BridgeProcessTest() override {
    if (bridge && bridge->alive()) bridge->kill();
    bridge.reset();
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
  }

  void start(const std::string& deed) {
    const UniqueFd settings = channel::sealed_memory("deed", deed);
    bridge = std::make_shared<BridgeProcess>(context_, static_cast<BridgeObserver&>(*this));
    bridge->start({settings.get(), null_.get(), -1, {}, kApps, account()});
  }

  template <class Done>
  void until(Done done, const std::string& what) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << what;
      io.run_one_for(std::chrono::milliseconds(100));
      io.restart();
    }
  }

  void bridge_says(const channel::Message& message, std::string answer) override {
    said.push_back(message.type);
    answers.push_back(std::move(answer));
    // As a generation does.
    const bool list = message.type == Type::listing;
    if (list && !channel::decode_list(answers.back())) bridge->distrust("no list");
  }
  void bridge_distrusted() override { ++distrusted; }
  void bridge_ended(pid_t, int status) override { ended = status; }

  static channel::Message question(std::uint64_t serial) {
    channel::Message message;
    message.type = Type::list_requests;
    message.serial = serial;
    return message;
  }

  boost::asio::io_context io{1};
  std::shared_ptr<BridgeProcess> bridge;
  std::vector<Type> said;
  std::vector<std::string> answers;
  std::optional<int> ended;
  int distrusted = 0;

 private:
  static config::Account account() {
    config::Account own;
    own.uid = ::geteuid();
    own.gid = ::getegid();
    return own;
  }

  TemporaryDirectory directory_;
  LogSet logs_;
  LogCopier copier_;
  Children children_{io};
  RuntimeDirectory runtime_{directory_ / "run", account()};
  CgroupTree cgroups_{no_cgroups()};
  Remains remains_{io, cgroups_};
  UniqueFd null_{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  Context context_{.io = io,
                   .logs = logs_,
                   .copier = copier_,
                   .children = children_,
                   .runtime = runtime_,
                   .cgroups = cgroups_,
                   .remains = remains_,
                   .environment = {},
                   .null = null_.get()};
};

TEST_F(BridgeProcessTest, WhatABridgeSendsIsHandedOn) {
  start("well-behaved");
  until([&] { return !said.empty(); }, "a message");
  EXPECT_EQ(said, std::vector{Type::started});
  EXPECT_FALSE(ended);
}

TEST_F(BridgeProcessTest, WhatNoBridgeSendsEndsIt) {
  for (const char* deed :
       {"type", "unknown", "app", "text", "size", "long", "bytes", "answer", "early"}) {
    SCOPED_TRACE(deed);
    ended.reset();
    start(deed);
    until([&] { return ended.has_value(); }, "the end of the bridge");
    EXPECT_TRUE(said.empty());
    ASSERT_TRUE(ended);
    EXPECT_TRUE(WIFSIGNALED(*ended));
    EXPECT_EQ(WTERMSIG(*ended), SIGKILL);
  }
}

TEST_F(BridgeProcessTest, WhatABridgeDoesNotSendNowEndsIt) {
  for (const char* deed : {"twice", "left"}) {
    SCOPED_TRACE(deed);
    ended.reset();
    start(deed);
    until([&] { return ended.has_value(); }, "the end of the bridge");
  }
  EXPECT_EQ(said, (std::vector{Type::started, Type::started}));
  EXPECT_EQ(distrusted, 2);
}

TEST_F(BridgeProcessTest, DescriptorsCannotBeSent) {
  start("socket");
  until([&] { return !said.empty(); }, "a message");
  const auto before = open_descriptors();
  bridge->kill();
  until([&] { return ended.has_value(); }, "the end of the bridge");
  for (int i = 0; i < 3; ++i) {
    ended.reset();
    said.clear();
    start("socket");
    until([&] { return !said.empty(); }, "a message");
    // The pipe that says whether exec succeeded is open for a while.
    until([&] { return open_descriptors() <= before; }, "no more descriptors than before");
    bridge->kill();
    until([&] { return ended.has_value(); }, "the end of the bridge");
  }
}

TEST_F(BridgeProcessTest, LongAnswersAreCopied) {
  start("list good");
  EXPECT_TRUE(bridge->ask(question(7)));
  until([&] { return said.size() == 2; }, "the answer");
  const auto requests = channel::decode_list(answers.back());
  ASSERT_TRUE(requests);
  EXPECT_EQ(requests->size(), 1u);
  EXPECT_FALSE(ended);
}

TEST_F(BridgeProcessTest, LiesInLongAnswersEndIt) {
  for (const char* how : {"list bytes", "list size", "list twice"}) {
    SCOPED_TRACE(how);
    ended.reset();
    start(how);
    EXPECT_TRUE(bridge->ask(question(7)));
    until([&] { return ended.has_value(); }, "the end of the bridge");
    EXPECT_EQ(WTERMSIG(*ended), SIGKILL);
  }
}

TEST_F(BridgeProcessTest, OneThatDoesNotAnswerIsNotAskedForEver) {
  start("well-behaved");
  until([&] { return !said.empty(); }, "a message");
  for (std::uint64_t i = 1; i <= OpenQuestions::kMaxOpen; ++i) {
    EXPECT_TRUE(bridge->ask(question(i))) << i;
  }
  EXPECT_FALSE(bridge->ask(question(OpenQuestions::kMaxOpen + 1)));
  channel::Message other = question(1);
  other.type = Type::worker_dead;
  EXPECT_TRUE(bridge->ask(other)) << "another kind";
}

// Demands cost more than other messages.
TEST_F(BridgeProcessTest, AFloodIsSlowedDown) {
  const auto begin = std::chrono::steady_clock::now();
  start("flood");
  constexpr double kCost = 4;
  const double burst = BridgeProcess::kPerSecond / kCost;
  until([&] { return static_cast<double>(said.size()) > 1.5 * burst; }, "more than a burst");
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  // A turn may go on with a bucket that has become empty.
  constexpr double kTurn = 256;
  EXPECT_LE(static_cast<double>(said.size()), (1 + passed.count()) * burst + kTurn);
  bridge->kill();
  until([&] { return ended.has_value(); }, "the end of the bridge");
  EXPECT_EQ(distrusted, 0);
}

// The event loop has work of others, too.
TEST_F(BridgeProcessTest, AFloodDoesNotKeepTheLoop) {
  start("flood");
  until([&] { return said.size() > 1000; }, "a thousand messages");
  bool turn = false;
  boost::asio::post(io, [&] { turn = true; });
  const std::size_t before = said.size();
  until([&] { return turn; }, "somebody else's turn");
  EXPECT_LE(said.size(), before + 1000);
  bridge->kill();
  until([&] { return ended.has_value(); }, "the end of the bridge");
}

}  // namespace
}  // namespace viaduct::daemon::master
