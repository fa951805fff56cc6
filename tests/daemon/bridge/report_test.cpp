// What the bridge tells the master of its load.

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

class Report : public BridgeTest {
 protected:
  std::uint64_t reported(const FakeWorker& worker) {
    std::uint64_t sum = 0;
    for (const channel::Message& message : bridge().received()) {
      if (message.type == channel::Type::requests && message.serial == worker.serial)
        sum += message.count;
    }
    return sum;
  }
};

TEST_F(Report, EveryRequestOfAWorkerIsCountedOnce) {
  start();
  FakeWorker& worker = add_worker();
  for (const int wanted : {1, 2, 5}) {
    std::vector<std::unique_ptr<FrontClient>> clients;
    while (worker.requests.size() < static_cast<std::size_t>(wanted)) {
      clients.push_back(connect());
      clients.back()->get(1, "/");
      const auto request = worker.next_request();
      ASSERT_TRUE(request);
      request->respond("ok");
      ASSERT_TRUE(clients.back()->wait(1));
    }
    until([&] { return reported(worker) >= static_cast<std::uint64_t>(wanted); }, "a report");
    EXPECT_EQ(reported(worker), static_cast<std::uint64_t>(wanted));
  }
}

TEST_F(Report, ARequestWithoutAnyWorkerIsReported) {
  start();
  const auto client = connect();
  client->get(1, "/");
  ASSERT_TRUE(bridge().wait_for(channel::Type::demand));
  EXPECT_EQ(bridge().last(channel::Type::demand)->app, 0u);
  EXPECT_EQ(bridge().last(channel::Type::demand)->count, 1u);
  EXPECT_EQ(bridge().last(channel::Type::demand)->busy, 0u);
}

TEST_F(Report, BusyWorkersAndTheQueueAreReportedUntilTheyAreNoMore) {
  start();
  FakeWorker& worker = add_worker({.max_reqs = 2});
  std::vector<std::unique_ptr<FrontClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(connect());
    clients.back()->get(1, "/");
  }
  const auto load = [&] {
    return bridge().last(channel::Type::demand).value_or(channel::Message{});
  };
  until([&] { return load().busy == 2 && load().count == 1 && load().delay_ms >= 100; },
        "two at work, one waiting for a while");
  for (int i = 0; i < 3; ++i) {
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    request->respond("ok");
  }
  until([&] { return load().busy == 0 && load().count == 0 && load().delay_ms == 0; },
        "nothing to do");
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
