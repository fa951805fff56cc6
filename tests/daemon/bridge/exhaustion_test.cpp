// What happens when the bridge runs out of descriptors, memory or disk: it says so, refuses or
// waits, and goes on.

#include <sys/resource.h>

#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

class Exhaustion : public BridgeTest {
 protected:
  void limit(__rlimit_resource resource, rlim_t value) {
    const rlimit limits{value, value};
    ASSERT_EQ(::prlimit(bridge().pid(), resource, &limits, nullptr), 0);
  }

  /// Leaves the bridge so many descriptors to open.
  void leave_descriptors(std::size_t spare) {
    std::set<rlim_t> taken;
    const std::filesystem::path open = "/proc/" + std::to_string(bridge().pid()) + "/fd";
    for (const auto& entry : std::filesystem::directory_iterator(open)) {
      taken.insert(std::stoul(entry.path().filename().string()));
    }
    rlim_t number = 0;
    for (; spare > 0; ++number) spare -= taken.contains(number) ? 0 : 1;
    limit(RLIMIT_NOFILE, number);
  }
};

TEST_F(Exhaustion, ConnectionsBeyondTheDescriptorsWaitForTheirTurn) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UBSan opens a pipe to look at an object's type, and reports when it cannot";
#endif
  start();
  FakeWorker& worker = add_worker();
  const auto answer_next = [&](FrontClient& client) {
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    request->respond("ok");
    ASSERT_TRUE(client.wait(1));
    EXPECT_EQ(client.answer(1).status(), 200);
  };
  leave_descriptors(2);
  std::vector<std::unique_ptr<FrontClient>> held;
  for (int i = 0; i < 2; ++i) {
    held.push_back(connect());
    held.back()->get(1, "/", true);
    answer_next(*held.back());
  }
  const auto waiting = connect();
  waiting->get(1, "/waited");
  ASSERT_TRUE(bridge().wait_for_log("cannot accept a connection"));
  held.front()->get(1, "/");
  answer_next(*held.front());
  held.clear();
  answer_next(*waiting);
}

TEST_F(Exhaustion, BeyondLimitsMemoryNewRequestsAreAnswered503) {
  settings.limits.memory = 256 * 1024;
  start();
  FakeWorker& worker = add_worker();
  const auto ask = [&] {
    const auto client = connect();
    client->get(1, "/small");
    until([&] { return worker.has_request() || client->answer(1).status() != 0; }, "an answer");
    if (worker.has_request()) worker.next_request()->respond("ok");
    EXPECT_TRUE(client->wait(1));
    return client->answer(1).status();
  };
  EXPECT_EQ(ask(), 200);
  // Clients that do not read: a window's worth of every response stays in the bridge. It may come
  // to its limit before the last of them.
  const auto reached = [&] { return bridge().log_count("limits.memory is reached") > 0; };
  std::vector<std::unique_ptr<FrontClient>> stalled;
  while (stalled.size() < 8) {
    auto client = connect();
    client->read(false);
    client->get(1, "/large");
    until([&] { return worker.has_request() || reached(); }, "the request or its refusal");
    if (!worker.has_request()) break;
    worker.next_request()->respond(std::string(512 * 1024, 'x'));
    stalled.push_back(std::move(client));
  }
  until([&] { return ask() == 503; }, "a refusal");
  EXPECT_TRUE(bridge().wait_for_log("limits.memory is reached"));
  for (const auto& client : stalled) client->read(true);
  for (const auto& client : stalled) {
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).body().size(), 512u * 1024);
  }
  until([&] { return ask() == 200; }, "requests to be served again");
}

TEST_F(Exhaustion, BodyThatTheDiskCannotHoldIsAnswered507AndNobodyElseNotices) {
  start();
  FakeWorker& worker = add_worker({.return_credit = false});
  limit(RLIMIT_FSIZE, 128 * 1024);
  // On a connection that carries several requests a stalled upload goes to a file.
  const auto client = connect();
  client->begin(1, variables("POST", "/stalled"), true);
  client->begin(2, variables("POST", "/other"), true);
  client->body(1, std::string(1024 * 1024, 'x'));
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 507);
  EXPECT_TRUE(bridge().wait_for_log("the body could not be written to disk"));
  client->body(2, "small");
  client->body_end(2);
  until([&] { return worker.requests.size() == 2; }, "both requests");
  const auto request = worker.requests.back();
  ASSERT_EQ(request->param("REQUEST_URI"), "/other");
  until([&] { return request->body_ended; }, "the other request's body");
  request->respond("ok");
  ASSERT_TRUE(client->wait(2));
  EXPECT_EQ(client->answer(2).status(), 200);
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
