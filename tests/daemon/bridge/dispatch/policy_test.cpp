#include "daemon/bridge/dispatch/policy.hpp"

#include <csignal>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using channel::AppState;

TEST(Admission, EveryRow) {
  struct Row {
    bool slot_free;
    bool others_wait;
    std::uint32_t queued;
    AppState state;
    Admission expected;
  };
  const Row rows[] = {
      {true, false, 0, AppState::serving, Admission::send},
      {true, false, 3, AppState::serving, Admission::send},
      {true, false, 0, AppState::starting, Admission::send},
      {true, false, 0, AppState::failing, Admission::send},
      {true, true, 1, AppState::serving, Admission::wait},
      {true, true, 3, AppState::serving, Admission::full},
      {true, true, 1, AppState::failing, Admission::failing},
      {false, false, 0, AppState::serving, Admission::wait},
      {false, false, 0, AppState::starting, Admission::wait},
      {false, false, 0, AppState::failing, Admission::failing},
      {false, true, 2, AppState::serving, Admission::wait},
      {false, true, 3, AppState::serving, Admission::full},
      {false, true, 4, AppState::serving, Admission::full},
      {false, true, 3, AppState::failing, Admission::failing},
      {false, false, 3, AppState::starting, Admission::full},
  };
  for (const Row& row : rows) {
    const Load load{.slot_free = row.slot_free,
                    .others_wait = row.others_wait,
                    .queued = row.queued,
                    .queue_limit = 3,
                    .state = row.state};
    EXPECT_EQ(admit(load), row.expected)
        << row.slot_free << row.others_wait << row.queued << static_cast<int>(row.state);
  }
}

TEST(AsksForUpgrade, EveryRow) {
  struct Row {
    const char* upgrade;
    const char* connection;
    bool expected;
  };
  const Row rows[] = {
      {"websocket", nullptr, true},
      {"websocket", "upgrade", true},
      {"websocket", "Upgrade", true},
      {"websocket", "keep-alive, Upgrade", true},
      {"websocket", "keep-alive ,\tUPGRADE ,x", true},
      {"h2c", "Upgrade, HTTP2-Settings", true},
      {"websocket", "", false},
      {"websocket", "keep-alive", false},
      {"websocket", "upgrades, x-upgrade", false},
      {"", "upgrade", false},
      {nullptr, "upgrade", false},
  };
  for (const Row& row : rows) {
    protocol::RequestHead head;
    if (row.upgrade != nullptr) head.params.add("HTTP_UPGRADE", row.upgrade);
    if (row.connection != nullptr) head.params.add("HTTP_CONNECTION", row.connection);
    EXPECT_EQ(asks_for_upgrade(head), row.expected)
        << (row.upgrade != nullptr ? row.upgrade : "none") << ' '
        << (row.connection != nullptr ? row.connection : "none");
  }
}

TEST(AsksForTunnel, EveryRow) {
  using protocol::Role;
  struct Row {
    const char* upgrade;
    std::optional<std::uint64_t> length;
    Role role;
    bool expected;
    const char* method = "GET";
    bool coded = false;
  };
  const Row rows[] = {
      {"websocket", std::nullopt, Role::responder, true, nullptr},
      {"websocket", std::nullopt, Role::responder, false, "POST"},
      {"websocket", 0, Role::responder, false, "POST"},
      {"websocket", std::nullopt, Role::responder, false, "PUT"},
      {"websocket", std::nullopt, Role::responder, false, "HEAD"},
      {"websocket", std::nullopt, Role::responder, false, "get"},
      {"websocket", std::nullopt, Role::responder, false, "GET", true},
      {"websocket", std::nullopt, Role::responder, false, "POST", true},
      {"websocket", std::nullopt, Role::responder, true},
      {"websocket", 0, Role::responder, true},
      {"websocket", 1, Role::responder, false},
      {"SPDY/3.1, h2c", std::nullopt, Role::responder, true},
      {"h2c", std::nullopt, Role::responder, false},
      {"H2C", std::nullopt, Role::responder, false},
      {"", std::nullopt, Role::responder, false},
      {nullptr, std::nullopt, Role::responder, false},
      {"websocket", std::nullopt, Role::authorizer, false},
      {"websocket", std::nullopt, Role::filter, false},
  };
  for (const Row& row : rows) {
    protocol::RequestHead head;
    head.role = row.role;
    head.content_length = row.length;
    if (row.upgrade != nullptr) head.params.add("HTTP_UPGRADE", row.upgrade);
    if (row.method != nullptr) head.params.add("REQUEST_METHOD", row.method);
    head.transfer_coded = row.coded;
    EXPECT_EQ(asks_for_tunnel(head), row.expected)
        << (row.upgrade != nullptr ? row.upgrade : "none") << row.length.value_or(7)
        << (row.method != nullptr ? row.method : "") << row.coded;
  }
}

TEST(BytesToGather, EveryRow) {
  using config::Buffering;
  using protocol::Role;
  constexpr auto kAuto = Buffering::automatic;
  constexpr std::uint64_t kMiB = kGatheredForThreads;
  constexpr std::uint64_t kAll = kGatheredWhole;
  struct Row {
    BodyToCome body;
    std::uint64_t expected;
  };
  const std::vector<Row> rows{
      {{kAuto, Taking::unknown, Role::responder, false, 7}, kAll},
      {{kAuto, Taking::one, Role::responder, false, 7}, kAll},
      {{kAuto, Taking::one, Role::responder, false, std::nullopt}, kAll},
      {{kAuto, Taking::one, Role::filter, false, 7}, kAll},
      {{kAuto, Taking::one, Role::filter, false, 0}, kAll},
      {{kAuto, Taking::one, Role::responder, false, 0}, 0},
      {{kAuto, Taking::one, Role::authorizer, false, std::nullopt}, 0},
      {{kAuto, Taking::many, Role::responder, false, 7}, 0},
      {{kAuto, Taking::many, Role::responder, false, std::nullopt}, 0},
      {{kAuto, Taking::threads, Role::responder, false, 7}, kMiB},
      {{kAuto, Taking::threads, Role::responder, false, kMiB - 1}, kMiB},
      {{kAuto, Taking::threads, Role::responder, false, kMiB}, kMiB},
      {{kAuto, Taking::threads, Role::responder, false, kMiB + 1}, 0},
      {{kAuto, Taking::threads, Role::responder, false, std::nullopt}, kMiB},
      {{kAuto, Taking::threads, Role::filter, false, 7}, kMiB},
      {{Buffering::always, Taking::many, Role::responder, false, kMiB + 1}, kAll},
      {{Buffering::always, Taking::threads, Role::responder, false, kMiB + 1}, kAll},
      {{Buffering::always, Taking::many, Role::authorizer, false, std::nullopt}, 0},
      {{Buffering::always, Taking::many, Role::responder, false, 0}, 0},
      {{Buffering::never, Taking::one, Role::responder, false, 7}, 0},
      {{Buffering::never, Taking::one, Role::responder, false, std::nullopt}, kAll},
      {{Buffering::never, Taking::unknown, Role::responder, false, std::nullopt}, kAll},
      {{Buffering::never, Taking::one, Role::filter, false, std::nullopt}, 0},
      {{Buffering::never, Taking::threads, Role::responder, false, std::nullopt}, 0},
      {{Buffering::never, Taking::one, Role::responder, true, 7}, 0},
      {{Buffering::never, Taking::one, Role::responder, true, std::nullopt}, kAll},
      {{kAuto, Taking::unknown, Role::responder, false, std::nullopt, true}, 0},
      {{kAuto, Taking::one, Role::responder, true, std::nullopt, true}, 0},
      {{kAuto, Taking::threads, Role::responder, false, std::nullopt, true}, 0},
      {{Buffering::always, Taking::many, Role::responder, false, std::nullopt, true}, 0},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(bytes_to_gather(rows[i].body), rows[i].expected) << "row " << i;
  }
}

protocol::RequestHead with_block_of(std::uint64_t bytes) {
  protocol::RequestHead head;
  head.params.add("A", std::string(bytes - 5, 'x'));  // two lengths of two bytes, and the name
  return head;
}

TEST(Inexpressible, FastcgiCarriesEverything) {
  protocol::RequestHead head = with_block_of(100'000);
  for (const auto role :
       {protocol::Role::responder, protocol::Role::authorizer, protocol::Role::filter}) {
    head.role = role;
    EXPECT_FALSE(inexpressible(config::ServerProtocol::fastcgi, head));
  }
}

TEST(Inexpressible, OtherProtocolsHaveOneRole) {
  for (const auto protocol : {config::ServerProtocol::scgi, config::ServerProtocol::uwsgi}) {
    protocol::RequestHead head;
    EXPECT_FALSE(inexpressible(protocol, head));
    for (const auto role : {protocol::Role::authorizer, protocol::Role::filter}) {
      head.role = role;
      const auto reason = inexpressible(protocol, head);
      ASSERT_TRUE(reason);
      EXPECT_EQ(reason->status, 501);
    }
  }
}

TEST(Inexpressible, UwsgiPacketsAreShort) {
  constexpr std::uint64_t kMost = 65'535 - 128;
  for (const std::uint64_t size : {kMost - 1, kMost, kMost + 1, std::uint64_t{1'000'000}}) {
    const auto head = with_block_of(size);
    EXPECT_FALSE(inexpressible(config::ServerProtocol::scgi, head));
    const auto reason = inexpressible(config::ServerProtocol::uwsgi, head);
    ASSERT_EQ(reason.has_value(), size > kMost) << size;
    EXPECT_EQ(reason.value_or(Inexpressible{}).status, size > kMost ? 431 : 0);
  }
}

TEST(Idempotent, MethodsByName) {
  for (const char* const method : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}) {
    EXPECT_TRUE(idempotent(method)) << method;
  }
  for (const char* const method : {"POST", "PATCH", "CONNECT", "get", "", "GETS", "LINK"}) {
    EXPECT_FALSE(idempotent(method)) << method;
  }
}

TEST(Retry, EveryRow) {
  using config::Retry;
  struct Row {
    Retry policy;
    const char* method;
    bool delivered;
    bool body_held;
    unsigned attempts;
    bool expected;
    unsigned servers = 0;
  };
  const Row rows[] = {
      {Retry::idempotent, "GET", true, true, 1, true},
      {Retry::idempotent, "PUT", true, true, 1, true},
      {Retry::idempotent, "GET", true, true, 2, false},
      {Retry::idempotent, "GET", true, false, 1, false},
      {Retry::idempotent, "POST", true, true, 1, false},
      {Retry::idempotent, "POST", false, true, 1, true},
      {Retry::idempotent, "POST", false, false, 1, false},
      {Retry::idempotent, "POST", false, true, 2, false},
      {Retry::idempotent, "GET", false, true, 2, false},
      {Retry::never, "GET", true, true, 1, false},
      {Retry::never, "GET", false, true, 1, true},
      {Retry::never, "POST", false, true, 1, true},
      {Retry::never, "POST", false, true, 2, false},
      {Retry::never, "POST", false, true, 1, true, 1},
      {Retry::never, "POST", false, true, 2, false, 1},
      {Retry::never, "POST", false, true, 2, true, 2},
      {Retry::never, "POST", false, true, 3, false, 2},
      {Retry::never, "POST", false, true, 4, true, 4},
      {Retry::never, "POST", false, true, 5, false, 4},
      {Retry::never, "POST", false, false, 1, false, 4},
      {Retry::idempotent, "GET", true, true, 1, true, 4},
      {Retry::idempotent, "GET", true, true, 2, false, 4},
  };
  for (const Row& row : rows) {
    const Loss loss{.policy = row.policy,
                    .method = row.method,
                    .delivered = row.delivered,
                    .body_held = row.body_held,
                    .attempts = row.attempts,
                    .servers = row.servers};
    EXPECT_EQ(may_retry(loss), row.expected)
        << static_cast<int>(row.policy) << row.method << row.delivered << row.body_held
        << row.attempts << row.servers;
  }
}

TEST(RecoveryDeadline, EveryRow) {
  using std::chrono::seconds;
  constexpr auto kNever = StillRunning::Time::max();
  const auto at = [](int second) { return StillRunning::Time{seconds(second)}; };
  struct Row {
    StillRunning running;
    StillRunning::Time expected;
  };
  const Row rows[] = {
      // Aborted: what is left of its own time.
      {{at(100), at(130), seconds(0), seconds(5)}, at(135)},
      {{at(100), at(90), seconds(0), seconds(5)}, at(105)},
      // Taken back: also when it had queued, and nearly all of its time had passed.
      {{at(100), at(130), seconds(30), seconds(5)}, at(135)},
      {{at(100), at(101), seconds(30), seconds(5)}, at(135)},
      {{at(100), at(90), seconds(30), seconds(5)}, at(135)},
      // Off.
      {{at(100), kNever, seconds(0), seconds(5)}, kNever},
      {{at(100), at(130), seconds(30), seconds(0)}, kNever},
      {{at(100), kNever, seconds(0), seconds(0)}, kNever},
  };
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    EXPECT_EQ(recovery_deadline(rows[i].running), rows[i].expected) << "row " << i;
  }
}

}  // namespace
}  // namespace viaduct::daemon::bridge
