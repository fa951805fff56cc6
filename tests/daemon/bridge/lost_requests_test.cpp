// What the bridge tells the master of the requests that a dead worker had.

#include "daemon/channel/lost_requests.hpp"

#include <csignal>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using channel::LostRequests;
using channel::Type;

class Lost : public BridgeTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  Lost() { settings.threads = GetParam(); }

  FakeWorker& worker_with(int requests) {
    FakeWorker& worker = add_worker({.max_reqs = 200});
    for (int i = 0; i < requests; ++i) {
      clients_.push_back(connect());
      clients_.back()->request(
          1, variables("POST", "/" + std::to_string(i) + "?\x1b", {{"REQUEST_ID", "id"}}), "");
    }
    until([&] { return worker.requests.size() == static_cast<std::size_t>(requests); },
          "all requests at the worker");
    return worker;
  }
  void kill(FakeWorker& worker, bool report) {
    worker.die();
    channel::Message message;
    message.type = Type::worker_dead;
    message.serial = worker.serial;
    message.status = SIGSEGV;
    message.count = report ? 1 : 0;
    bridge().send(message);
  }
  LostRequests lost(const FakeWorker& worker) {
    EXPECT_TRUE(bridge().wait_for(Type::requests_lost));
    const auto message = bridge().last(Type::requests_lost);
    if (!message) return {};
    EXPECT_EQ(message->serial, worker.serial);
    return channel::decode(bridge().answer(), message->count);
  }

  std::vector<std::unique_ptr<FrontClient>> clients_;
};

INSTANTIATE_TEST_SUITE_P(Threads, Lost, ::testing::Values(1, 4),
                         [](const auto& test) { return std::to_string(test.param); });

TEST_P(Lost, EveryRequestOfTheWorkerAndOfNoOther) {
  start();
  FakeWorker& worker = worker_with(3);
  kill(worker, true);
  const LostRequests requests = lost(worker);
  EXPECT_EQ(requests.total, 3u);
  ASSERT_EQ(requests.lines.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    const std::string begin = "POST /" + std::to_string(i) + "?\x1b id=id age_ms=";
    const auto line = std::find_if(requests.lines.begin(), requests.lines.end(),
                                   [&](const auto& text) { return text.starts_with(begin); });
    ASSERT_NE(line, requests.lines.end()) << begin;
    EXPECT_TRUE(line->ends_with(" working"));
  }
}

TEST_P(Lost, NoneAtAllIsToldAtOnce) {
  start();
  FakeWorker& worker = worker_with(0);
  kill(worker, true);
  EXPECT_EQ(lost(worker), LostRequests{});
}

TEST_P(Lost, MoreThanThereIsRoomForAreCounted) {
  constexpr int kMany = static_cast<int>(LostRequests::kMax) + 1;
  start();
  FakeWorker& worker = worker_with(kMany);
  kill(worker, true);
  const LostRequests requests = lost(worker);
  EXPECT_EQ(requests.total, static_cast<std::uint64_t>(kMany));
  EXPECT_EQ(requests.lines.size(), LostRequests::kMax);
}

TEST_P(Lost, OnlyWhenTheMasterAsks) {
  start();
  FakeWorker& unasked = worker_with(1);
  kill(unasked, false);
  ASSERT_TRUE(clients_.front()->wait(1));
  FakeWorker& asked = worker_with(0);
  kill(asked, true);
  EXPECT_EQ(lost(asked), LostRequests{});
  EXPECT_EQ(bridge().count(Type::requests_lost), 1u);
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
