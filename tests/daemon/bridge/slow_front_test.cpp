// Clients that send too little of a body, or take nothing of a response, over each protocol of a
// listener.

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/bridge/attack.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Listener kListeners[] = {fastcgi, scgi, http, uwsgi};

std::string name_of(Listener listener) {
  return std::array{"fastcgi", "scgi", "http", "uwsgi"}.at(listener);
}

/// The head of a request with a body of that length, in any protocol.
std::string head_of(Listener listener, const std::string& method, std::size_t length) {
  const test::NameValues variables{{"CONTENT_LENGTH", std::to_string(length)},
                                   {"SCGI", "1"},
                                   {"REQUEST_METHOD", method},
                                   {"REQUEST_URI", "/"},
                                   {"PATH_INFO", "/"},
                                   {"SCRIPT_NAME", ""}};
  switch (listener) {
    case fastcgi:
      return test::begin_record(1, 1, 0) + test::params_records(1, variables);
    case scgi:
      return test::netstring(test::scgi_block(variables));
    case uwsgi:
      return test::uwsgi_packet(test::uwsgi_block(variables));
    case http:
      break;
  }
  return method + " / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) +
         "\r\n\r\n";
}

/// A part of its body. An empty one is its end.
std::string part_of(Listener listener, std::string_view bytes) {
  return listener == fastcgi ? test::stdin_record(1, bytes) : std::string(bytes);
}

class SlowFront : public AttackTest, public ::testing::WithParamInterface<Listener> {};

INSTANTIATE_TEST_SUITE_P(Protocol, SlowFront, ::testing::ValuesIn(kListeners),
                         [](const auto& test) { return name_of(test.param); });

TEST_P(SlowFront, SilenceWithinABodyIsAnswered408) {
  shop(settings).timeouts.body = milliseconds(200);
  start();
  FakeWorker& worker = add_worker();
  const auto client = attack(GetParam(), head_of(GetParam(), "POST", 10));
  client->raw(part_of(GetParam(), "some"));
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  ASSERT_TRUE(client->wait_closed());
  EXPECT_EQ(status(*client), 408);
  until([&] { return request->aborted; }, "the abort");
  EXPECT_TRUE(bridge().wait_for_log("timeouts.body passed"));
  EXPECT_EQ(score().errors, 0u) << "the worker is not to blame";
}

TEST_P(SlowFront, ABodyThatIsGatheredTakesNoWorkerAndIsAnswered408) {
  shop(settings).timeouts.body = milliseconds(200);
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = attack(GetParam(), head_of(GetParam(), "POST", 10));
  client->raw(part_of(GetParam(), "some"));
  ASSERT_TRUE(client->wait_closed());
  EXPECT_EQ(status(*client), 408);
  EXPECT_FALSE(worker.has_request());
}

TEST_P(SlowFront, ABegunResponseIsBrokenOff) {
  shop(settings).timeouts.body = milliseconds(200);
  start();
  FakeWorker& worker = add_worker();
  const auto client = attack(GetParam(), head_of(GetParam(), "POST", 10));
  client->raw(part_of(GetParam(), "some"));
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->write("Status: 200\r\nContent-Length: 100\r\n\r\nbegun");
  ASSERT_TRUE(client->wait_closed());
  EXPECT_EQ(status(*client), 200);
  EXPECT_THAT(client->received(), HasSubstr("begun"));
  EXPECT_THAT(client->received(), Not(HasSubstr(test::end_record(1)))) << "it looks complete";
  EXPECT_LT(client->received().size(), 100u + client->received().find("begun"));
  until([&] { return request->aborted; }, "the abort");
  EXPECT_EQ(score().errors, 0u);
}

TEST_P(SlowFront, APeerThatTakesNothingLosesItsConnection) {
  shop(settings).timeouts.send = milliseconds(400);
  start();
  FakeWorker& worker = add_worker();
  const auto client = attack(GetParam(), head_of(GetParam(), "GET", 0));
  client->read(false);
  if (GetParam() == fastcgi) client->raw(part_of(fastcgi, ""));
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->write("Status: 200\r\n\r\n" + std::string(4'000'000, 'x'));
  until([&] { return request->aborted; }, "the abort");
  EXPECT_TRUE(bridge().wait_for_log("timeouts.send"));
  client->read(true);
  ASSERT_TRUE(client->wait_closed());
  EXPECT_LT(client->received().size(), 4'000'000u);
  EXPECT_EQ(score().errors, 0u);
}

// A byte a turn: never silent, and behind the grace of 20 s too slow. So is the one that has sent
// so much at first that its average would be high enough for minutes.
TEST_F(AttackTest, ABodyBelowTheRateIsAnswered408) {
  constexpr std::size_t kLength = 60'000'000;
  settings.limits.body_rate = 100'000;
  // A fast start is worth as much as silence, so that this does not take a minute.
  settings.apps[0].timeouts.body = std::chrono::seconds(20);
  start();
  FakeWorker& worker = add_worker();
  std::vector<std::pair<Listener, std::unique_ptr<ByteClient>>> clients;
  const std::string piece(60'000, 'x');
  for (const Listener listener : kListeners) {
    for (const std::size_t pieces : {0, 300}) {
      clients.emplace_back(listener, attack(listener, head_of(listener, "POST", kLength)));
      for (std::size_t i = 0; i < pieces; ++i) {
        clients.back().second->raw(part_of(listener, piece));
      }
    }
  }
  until(
      [&] {
        for (const auto& request : worker.requests) {
          if (request->aborted && request->link != nullptr) request->end();
        }
        for (auto& [listener, client] : clients) {
          if (client->unsent() == 0 && !client->closed()) client->raw(part_of(listener, "x"));
        }
        return std::all_of(clients.begin(), clients.end(),
                           [](const auto& client) { return client.second->closed(); });
      },
      "the connections closed");
  for (const auto& [listener, client] : clients) EXPECT_EQ(status(*client), 408) << listener;
  EXPECT_TRUE(bridge().wait_for_log("limits.body_rate"));
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
