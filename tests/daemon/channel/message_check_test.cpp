#include "daemon/channel/message_check.hpp"

#include <cstring>
#include <string_view>

#include <gtest/gtest.h>

namespace viaduct::daemon::channel {
namespace {

constexpr std::size_t kApps = 3;

Message of(Type type, std::uint32_t app = 0) {
  Message message;
  message.type = type;
  message.app = app;
  if (type == Type::ready) message.count = 1;
  return message;
}

struct Case {
  Type type;
  bool without_size;  // whether it may come without one
  bool with_size;
  bool names_app;
};

TEST(MessageCheck, WhatEachTypeMayCarry) {
  const Case cases[] = {
      {Type::started, true, false, false},
      {Type::ready, true, false, false},
      {Type::unhealthy, true, false, false},
      {Type::kill, true, false, false},
      {Type::worker_idle, true, false, false},
      {Type::requests, true, false, false},
      {Type::server, true, false, true},
      {Type::server_gone, true, false, true},
      {Type::demand, true, false, true},
      {Type::drained, true, false, false},
      {Type::left, true, false, false},
      {Type::listing, true, true, true},
      {Type::requests_lost, true, true, false},
      {Type::worker_added, false, false, false},
      {Type::worker_draining, false, false, false},
      {Type::worker_dead, false, false, false},
      {Type::app_state, false, false, false},
      {Type::log_target, false, false, false},
      {Type::accept, false, false, false},
      {Type::drain, false, false, false},
      {Type::adopt, false, false, false},
      {Type::listener, false, false, false},
      {Type::list_requests, false, false, false},
  };
  for (const Case& one : cases) {
    const auto type = static_cast<unsigned>(one.type);
    EXPECT_EQ(violation_of(of(one.type), kApps).empty(), one.without_size) << type;
    Message with_size = of(one.type);
    with_size.size = 1;
    EXPECT_EQ(violation_of(with_size, kApps).empty(), one.with_size) << type;
    if (!one.without_size) continue;
    EXPECT_TRUE(violation_of(of(one.type, kApps - 1), kApps).empty()) << type;
    EXPECT_EQ(violation_of(of(one.type, kApps), kApps).empty(), !one.names_app) << type;
    EXPECT_EQ(violation_of(of(one.type, UINT32_MAX), kApps).empty(), !one.names_app);
  }
}

TEST(MessageCheck, ATypeThatDoesNotExist) {
  const auto last = static_cast<std::uint32_t>(Type::requests_lost);
  for (const std::uint32_t type : {last + 1, 1000u, UINT32_MAX}) {
    EXPECT_FALSE(violation_of(of(static_cast<Type>(type)), kApps).empty()) << type;
  }
}

// Text is handed on as far as its NUL.
TEST(MessageCheck, TextHasAnEnd) {
  for (const bool is_path : {true, false}) {
    Message message = of(Type::server);
    const auto fill = [&](std::size_t spare) {
      message.path.fill('\0');
      message.reason.fill('\0');
      if (is_path) {
        std::memset(message.path.data(), 'x', message.path.size() - spare);
      } else {
        std::memset(message.reason.data(), 'x', message.reason.size() - spare);
      }
    };
    fill(1);
    EXPECT_EQ(violation_of(message, kApps), "");
    fill(0);
    EXPECT_EQ(violation_of(message, kApps), "text without an end");
  }
}

TEST(MessageCheck, StatesExist) {
  Message message = of(Type::server);
  message.state = AppState::idle;
  EXPECT_EQ(violation_of(message, kApps), "");
  message.state = static_cast<AppState>(static_cast<std::uint32_t>(AppState::idle) + 1);
  EXPECT_EQ(violation_of(message, kApps), "a state that does not exist");
}

}  // namespace
}  // namespace viaduct::daemon::channel
