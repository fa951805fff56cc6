// What happens when the bridge runs out of descriptors, memory or disk: it says so, refuses or
// waits, and goes on.

#include <sys/resource.h>

#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"
#include "tests/daemon/bridge/byte_client.hpp"
#include "tests/support/sanitizers.hpp"
#include "tests/support/uwsgi_bytes.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

class Exhaustion : public BridgeTest {
 protected:
  void limit(__rlimit_resource resource, rlim_t value) {
    const rlimit limits{value, value};
    ASSERT_EQ(::prlimit(bridge().pid(), resource, &limits, nullptr), 0);
  }

  /// Leaves the bridge at least so many descriptors to open, all of them below its own; returns how
  /// many.
  std::size_t leave_descriptors(std::size_t least) {
    std::set<rlim_t> taken;
    const std::filesystem::path open = "/proc/" + std::to_string(bridge().pid()) + "/fd";
    for (const auto& entry : std::filesystem::directory_iterator(open)) {
      taken.insert(std::stoul(entry.path().filename().string()));
    }
    const rlim_t end = *taken.rbegin() + 1 + least;
    limit(RLIMIT_NOFILE, end);
    return end - taken.size();
  }
};

class Descriptors : public Exhaustion {
 protected:
  void SetUp() override {
    if (test::kAddressSanitizer) {
      GTEST_SKIP() << "UBSan opens a pipe to look at an object's type, and reports when it cannot";
    }
  }

  void answer_next(FakeWorker& worker, FrontClient& client) {
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    request->respond("ok");
    ASSERT_TRUE(client.wait(1));
    EXPECT_EQ(client.answer(1).status(), 200);
  }

  /// Connections that are served, and take what descriptors there are.
  std::vector<std::unique_ptr<FrontClient>> hold(FakeWorker& worker) {
    const std::size_t count = leave_descriptors(1);
    std::vector<std::unique_ptr<FrontClient>> held;
    while (held.size() < count) {
      held.push_back(connect());
      held.back()->get(1, "/", true);
      answer_next(worker, *held.back());
    }
    return held;
  }
};

TEST_F(Descriptors, ConnectionsBeyondThemWaitForTheirTurn) {
  start();
  FakeWorker& worker = add_worker();
  auto held = hold(worker);
  const auto before = std::chrono::steady_clock::now();
  const auto waiting = connect();
  waiting->get(1, "/waited");
  ASSERT_TRUE(bridge().wait_for_log("cannot accept a connection"));
  held.clear();
  until([&] { return worker.has_request() || waiting->answer(1).ended; }, "its turn");
  if (worker.has_request()) return answer_next(worker, *waiting);
  // A machine that is so slow that the pause was over first.
  EXPECT_EQ(waiting->answer(1).status(), 503);
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));
}

TEST_F(Descriptors, ReserveTellsEveryProtocol503) {
  start();
  FakeWorker& worker = add_worker();
  auto held = hold(worker);
  const std::size_t served = worker.requests.size();

  const auto fastcgi = connect();
  fastcgi->post(1, "/", "body", true);
  ASSERT_TRUE(fastcgi->wait(1));
  EXPECT_EQ(fastcgi->answer(1).status(), 503);
  EXPECT_TRUE(fastcgi->wait_closed());
  const auto scgi = connect_scgi();
  scgi->head(variables("GET", "/"), 0);
  ASSERT_TRUE(scgi->wait_closed());
  EXPECT_EQ(scgi->answer().status(), 503);
  const auto http = std::make_unique<ByteClient>(stage, socket_path(2));
  http->raw("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(http->wait_closed());
  EXPECT_TRUE(http->received().starts_with("HTTP/1.1 503 ")) << http->received();
  EXPECT_EQ(http->count("\r\nConnection: close\r\n"), 1u);
  const auto uwsgi = std::make_unique<ByteClient>(stage, socket_path(3));
  uwsgi->raw(test::uwsgi_packet(test::uwsgi_block({{"REQUEST_METHOD", "GET"}})));
  ASSERT_TRUE(uwsgi->wait_closed());
  EXPECT_TRUE(uwsgi->received().starts_with("HTTP/1.1 503 ")) << uwsgi->received();

  // Those that are served go on, and once there are descriptors everybody is.
  held.front()->get(1, "/");
  answer_next(worker, *held.front());
  held.clear();
  EXPECT_EQ(worker.requests.size(), served + 1) << "none of the others reached it";
  const auto later = connect();
  later->get(1, "/");
  answer_next(worker, *later);
}

TEST_F(Descriptors, WhoIsAcceptedToBeRefusedAndSaysNothingIsClosed) {
  start();
  FakeWorker& worker = add_worker();
  const auto held = hold(worker);
  const auto silent = connect();
  ASSERT_TRUE(silent->wait_closed());
  EXPECT_FALSE(silent->answer(1).ended);
  const auto next = connect();
  next->get(1, "/");
  ASSERT_TRUE(next->wait(1));
  EXPECT_EQ(next->answer(1).status(), 503);
}

TEST_F(Exhaustion, BeyondLimitsMemoryNewRequestsAreAnswered503) {
  constexpr std::uint32_t kMore = 256;  // requests than the limit has room for
  settings.limits.memory = 8 * 1024 * 1024;
  settings.apps.front().concurrency.limit = kMore;
  start();
  FakeWorker& worker = add_worker({.max_reqs = kMore});
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
  while (stalled.size() < kMore) {
    auto client = connect();
    client->read(false);
    client->get(1, "/large");
    until([&] { return worker.has_request() || reached(); }, "the request or its refusal");
    if (!worker.has_request()) break;
    worker.next_request()->respond(std::string(512 * 1024, 'x'));
    // Responses under way would come on top of the limit.
    until([&] { return worker.links().front()->taken(); }, "the bridge to take it");
    stalled.push_back(std::move(client));
  }
  until([&] { return ask() == 503; }, "a refusal");
  EXPECT_TRUE(bridge().wait_for_log("limits.memory is reached")) << stalled.size() << " stalled";
  // One after the other: each has the worker send more.
  for (const auto& client : stalled) {
    client->read(true);
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
