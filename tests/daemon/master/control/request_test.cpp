#include "daemon/master/control/request.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::master::control {
namespace {

TEST(ControlRequestTest, EveryCommandHasItsPlace) {
  struct Row {
    const char* method;
    const char* target;
    const char* body;
    Command command;
    const char* text;
  };
  const Row rows[] = {
      {"GET", "/v1/status", "", {Action::status, "", 0}, "status"},
      {"GET", "/v1/apps/shop/requests", "", {Action::requests, "shop", 0}, "requests shop"},
      {"GET",
       "/v1/apps/shop/requests?stacks=true",
       "",
       {Action::requests, "shop", 0, true},
       "requests shop"},
      {"GET",
       "/v1/apps/shop/requests?stacks=false",
       "{}",
       {Action::requests, "shop", 0},
       "requests shop"},
      {"POST", "/v1/reload", "", {Action::reload, "", 0}, "reload"},
      {"POST", "/v1/reload", "{}", {Action::reload, "", 0}, "reload"},
      {"POST",
       "/v1/reload",
       R"({"keep_going":true})",
       {Action::reload, "", 0, false, true},
       "reload --keep-going"},
      {"POST", "/v1/reload", R"({"keep_going":false})", {Action::reload, "", 0}, "reload"},
      {"POST", "/v1/apps/shop/reload", "", {Action::reload, "shop", 0}, "reload shop"},
      {"POST", "/v1/apps/shop-2/restart", "", {Action::restart, "shop-2", 0}, "restart shop-2"},
      {"POST", "/v1/apps/a/scale", R"({"workers": 1})", {Action::scale, "a", 1}, "scale a 1"},
      {"POST",
       "/v1/apps/a/scale",
       R"({"workers":1024})",
       {Action::scale, "a", 1024},
       "scale a 1024"},
      {"POST", "/v1/drain", " {} ", {Action::drain, "", 0}, "drain"},
      {"POST", "/v1/stop", "", {Action::stop, "", 0}, "stop"},
      {"POST", "/v1/reopen", "", {Action::reopen, "", 0}, "reopen"},
      {"POST", "/v1/upgrade", "", {Action::upgrade, "", 0}, "upgrade"},
  };
  for (const Row& row : rows) {
    const auto parsed = parse_command(row.method, row.target, row.body);
    ASSERT_TRUE(std::holds_alternative<Command>(parsed)) << row.target << row.body;
    EXPECT_EQ(std::get<Command>(parsed), row.command) << row.target;
    EXPECT_EQ(to_string(row.command), row.text);
    EXPECT_EQ(changes(row.command.action), std::string_view(row.method) == "POST");
  }
}

TEST(ControlRequestTest, EverythingElseIsRefusedWithAReason) {
  struct Row {
    const char* method;
    const char* target;
    const char* body;
    int status;
  };
  const Row rows[] = {
      {"GET", "/", "", 404},
      {"POST", "/v1/reload", R"({"keep_going":1})", 400},
      {"POST", "/v1/reload", R"({"keep_going":true,"x":1})", 400},
      {"POST", "/v1/apps/shop/reload", R"({"keep_going":true})", 400},
      {"POST", "/v1/drain", R"({"keep_going":true})", 400},
      {"GET", "/v1/apps/shop/reload", "", 405},
      {"GET", "", "", 404},
      {"GET", "*", "", 404},
      {"GET", "/v1", "", 404},
      {"GET", "/v1/", "", 404},
      {"GET", "/v2/status", "", 404},
      {"GET", "/v1/status/", "", 404},
      {"GET", "/v1/nothing?stacks=true", "", 404},
      {"GET", "/v1/status?x=1", "", 400},
      {"GET", "/v1/status?stacks=true", "", 400},
      {"POST", "/v1/reload?", "", 400},
      {"GET", "/v1/apps/shop/requests?", "", 400},
      {"GET", "/v1/apps/shop/requests?stacks", "", 400},
      {"GET", "/v1/apps/shop/requests?stacks=1", "", 400},
      {"GET", "/v1/apps/shop/requests?stacks=true&x=1", "", 400},
      {"POST", "/v1/apps/shop/requests?stacks=true", "", 405},
      {"GET", "/v1/apps", "", 404},
      {"GET", "/v1/apps/", "", 404},
      {"GET", "/v1/apps//requests", "", 404},
      {"GET", "/v1/apps/shop", "", 404},
      {"GET", "/v1/apps/shop/", "", 404},
      {"GET", "/v1/apps/shop/requests/1", "", 404},
      {"POST", "/v1/status", "", 405},
      {"HEAD", "/v1/status", "", 405},
      {"GET", "/v1/reload", "", 405},
      {"DELETE", "/v1/stop", "", 405},
      {"POST", "/v1/apps/shop/requests", "", 405},
      {"GET", "/v1/apps/shop/scale", "", 405},
      {"POST", "/v1/reload", "now", 400},
      {"POST", "/v1/reload", "[]", 400},
      {"POST", "/v1/reload", R"({"force": true})", 400},
      {"GET", "/v1/status", "x", 400},
      {"POST", "/v1/apps/shop/scale", "", 400},
      {"POST", "/v1/apps/shop/scale", "3", 400},
      {"POST", "/v1/apps/shop/scale", "{}", 400},
      {"POST", "/v1/apps/shop/scale", R"({"workers": -1})", 400},
      {"POST", "/v1/apps/shop/scale", R"({"workers": 1.5})", 400},
      {"POST", "/v1/apps/shop/scale", R"({"workers": "3"})", 400},
      {"POST", "/v1/apps/shop/scale", R"({"workers": 1025})", 400},
      {"POST", "/v1/apps/shop/scale", R"({"workers": 4294967299})", 400},
      {"POST", "/v1/apps/shop/scale", R"({"workers": 3, "more": 1})", 400},
  };
  for (const Row& row : rows) {
    const auto parsed = parse_command(row.method, row.target, row.body);
    ASSERT_TRUE(std::holds_alternative<Reply>(parsed)) << row.target << row.body;
    const Reply& reply = std::get<Reply>(parsed);
    EXPECT_EQ(reply.status, row.status) << row.method << row.target << row.body;
    EXPECT_TRUE(reply.json.starts_with("{\"error\":\"")) << reply.json;
    EXPECT_EQ(reply.allow.empty(), row.status != 405);
  }
}

}  // namespace
}  // namespace viaduct::daemon::master::control
