#include "daemon/config/bridge_settings.hpp"

#include <exception>

#include <gtest/gtest.h>

#include "daemon/config/settings.hpp"

namespace viaduct::daemon::config {
namespace {

protocol::PeerRule rule(std::string_view text) {
  return std::get<protocol::PeerRule>(protocol::parse_peer_rule(text));
}

Settings full_settings() {
  Settings settings;
  settings.bridge.threads = 3;
  settings.bridge.spool = "/var/spool";
  settings.limits = {7, 1ull << 63, 0, 9, 3};
  settings.log = {LogLevel::warn, LogFormat::json, {LogTarget::Kind::file, "/var/log/v.log"}};
  settings.access_log = {{LogTarget::Kind::syslog, {}}, LogFormat::text, 0.1};

  ListenerSettings listener;
  listener.protocol = FrontProtocol::scgi;
  listener.address = {Address::Kind::tcp, "::1", 9000};
  listener.allow = {rule("10.0.0.0/8"), rule("fd00::/8"), rule("uid:33")};
  listener.trusted = {rule("192.0.2.1")};
  listener.proxy_protocol = true;
  listener.forwarded = {protocol::ForwardedSource::x_forwarded_for, true, false, true};
  listener.head_body = HeadBody::drop;
  listener.send_file = false;
  listener.routes = {{.host = "*.example.org",
                      .path = "/orders",
                      .exact = "/orders/",
                      .methods = {"GET", "POST"},
                      .header = HeaderRule{"X-Beta", "\xff"},
                      .mount = true,
                      .app = "shop",
                      .priority = Priority::low,
                      .limit = 17},
                     {.header = HeaderRule{"X-Beta", std::nullopt}, .app = "shop"}};
  settings.listeners = {listener, ListenerSettings{}};

  AppSettings app;
  app.name = "shop";
  app.command = {"/srv/shop/bin/shop", "--secret-argument"};
  app.env = {{"TOKEN", "secret-env"}};
  app.env_file = {{"/etc/secret-file", true}};
  app.env_file_values = {{"PASSWORD", "secret-value"}};
  app.identity.user = "secret-user";
  app.timeouts.request = milliseconds(1);
  app.timeouts.stop = milliseconds::max();
  app.limits = {1, 2, ~0ull, 0, 3, milliseconds(4), 5};
  app.concurrency = {ConcurrencyModel::fibers, std::nullopt};
  app.buffer_requests = Buffering::never;
  app.buffer_responses = {~0ull, 0};
  app.retry = Retry::never;
  app.poison = {0, milliseconds(1), milliseconds::max()};
  app.probe = false;
  app.server = {ServerProtocol::scgi, true, Multiplex::automatic, {milliseconds(5'000), 4, 3}};
  app.connect = {{Address::Kind::unix_path, "/run/\xff", 0}, {Address::Kind::tcp, "::1", 9000}};
  app.params = {{"HTTPS", "on"}, {"HTTP_X", std::nullopt}, {"RAW", "\xff\xfe\n\"\x01"}};
  app.log = {LogTarget::Kind::journal, {}};
  app.canary = CanarySettings{{"/srv/secret-canary"}, "", std::nullopt, nullptr, 1, "X-Canary-1"};
  AppSettings other;
  other.name = "blog";
  settings.apps = {app, other};
  return settings;
}

TEST(BridgeSettings, EveryValueSurvivesJson) {
  const BridgeSettings bridge = bridge_settings(full_settings());
  EXPECT_EQ(bridge_settings_from_json(to_json(bridge)), bridge);
  EXPECT_EQ(bridge_settings_from_json(to_json(BridgeSettings{})), BridgeSettings{});
}

TEST(BridgeSettings, AppsAreCountedWhereTheyStandUnlessTheMasterChooses) {
  BridgeSettings bridge = bridge_settings(full_settings());
  EXPECT_EQ(bridge.apps[0].score, 0u);
  EXPECT_EQ(bridge.apps[1].score, 1u);
  bridge.apps[1].score = 4095;
  EXPECT_EQ(bridge_settings_from_json(to_json(bridge)).apps[1].score, 4095u);
}

TEST(BridgeSettings, CanariesAreKnownByShareAndVariable) {
  const BridgeSettings bridge = bridge_settings(full_settings());
  EXPECT_EQ(bridge.apps[0].canary_share, 1u);
  EXPECT_EQ(bridge.apps[0].canary_variable, "HTTP_X_CANARY_1");
  EXPECT_EQ(bridge.apps[1].canary_share, 0u);
  EXPECT_EQ(bridge.apps[1].canary_variable, "");
}

TEST(BridgeSettings, CommandsUsersAndEnvironmentStayBehind) {
  const std::string text = to_json(bridge_settings(full_settings()));
  EXPECT_EQ(text.find("secret"), std::string::npos) << text;
}

TEST(BridgeSettings, HeaderFieldsHaveTheirVariables) {
  EXPECT_EQ(header_variable("X-Beta-1"), "HTTP_X_BETA_1");
  EXPECT_EQ(header_variable("content-type"), "CONTENT_TYPE");
  EXPECT_EQ(header_variable("Content-Length"), "CONTENT_LENGTH");
}

TEST(BridgeSettings, TextThatToJsonDoesNotWriteIsRefused) {
  const std::string good = to_json(bridge_settings(full_settings()));
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("[]"), good.substr(0, good.size() - 1),
        with("\"threads\":3", "\"threads\":-3"), with("\"threads\":3", "\"threads\":4294967296"),
        with("\"threads\":3", "\"threads\":\"3\""), with("\"threads\":3", "\"thread\":3"),
        with("\"threads\":3", "\"threads\":3,\"more\":1"), with("\"scgi\"", "\"gopher\""),
        with("\"network\":[0,", "\"network\":[")})
    EXPECT_THROW(bridge_settings_from_json(text), std::exception) << text;
}

}  // namespace
}  // namespace viaduct::daemon::config
