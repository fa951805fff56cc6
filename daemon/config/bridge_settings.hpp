// What the unprivileged bridge process is told about its generation: never a command, a user, an
// environment variable or the content of an env_file.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/address.hpp"
#include "daemon/config/listener_settings.hpp"
#include "daemon/config/log_settings.hpp"
#include "daemon/config/memory_policy.hpp"
#include "daemon/config/request_settings.hpp"
#include "daemon/config/sandbox_mode.hpp"
#include "protocol/cgi_head.hpp"
#include "protocol/peer_rule.hpp"

namespace viaduct::daemon::config {

struct Settings;

// Requests at once at a server of `connect`, when `concurrency.limit` does not say: more than most
// servers work on, so that none of them idles; what is too much for one waits in its backlog.
inline constexpr std::uint32_t kServerConcurrency = 32;

struct BridgeListener {
  FrontProtocol protocol = FrontProtocol::fastcgi;
  Address address;                          // a name for log lines: the socket itself is inherited
  std::vector<protocol::PeerRule> allow;    // empty: everyone
  std::vector<protocol::PeerRule> trusted;  // empty: nobody
  bool proxy_protocol = false;              // connections of `trusted` begin with a PROXY header
  protocol::ForwardedOptions forwarded{.source = protocol::ForwardedSource::pass};
  bool upgrade = false;  // whether a 101 may pass
  protocol::http::OddNames odd_names = protocol::http::OddNames::drop;
  HeadBody head_body = HeadBody::pass;
  bool send_file = true;              // whether the front server delivers files that it is named
  std::vector<RouteSettings> routes;  // every `app` is in BridgeSettings::apps

  bool operator==(const BridgeListener&) const = default;
};

struct BridgeApp {
  std::string name;
  Timeouts timeouts;
  AppLimits limits;
  Concurrency concurrency;
  Buffering buffer_requests = Buffering::automatic;
  ResponseBuffers buffer_responses;
  protocol::HeadRules response_heads = protocol::HeadRules::lenient;
  Retry retry = Retry::idempotent;
  Poison poison;
  bool probe = true;
  std::vector<ParamOverride> params;
  LogTarget log{LogTarget::Kind::inherit, {}};
  std::uint32_t score = 0;         // index in Scoreboard::apps
  std::uint32_t canary_share = 0;  // of kWholeShare
  std::string canary_variable;     // a request that has it goes to a canary; "": none
  std::vector<Address> connect;    // servers that others run; empty: workers
  ServerSettings server;

  bool operator==(const BridgeApp&) const = default;
};

struct BridgeSettings {
  std::uint32_t threads = 1;
  SandboxMode sandbox = SandboxMode::automatic;
  std::string spool;  // as BridgeProcessSettings::spool
  GlobalLimits limits;
  std::chrono::milliseconds unread = MemoryPolicy{}.unread;  // no key of the configuration
  LogSettings log;
  AccessLogSettings access_log;
  std::vector<BridgeListener> listeners;  // same order and number as Settings::listeners
  std::vector<BridgeApp> apps;            // same order and number as Settings::apps

  bool operator==(const BridgeSettings&) const = default;
};

// The CGI variable of a header field (RFC 3875 sections 4.1.2, 4.1.3 and 4.1.18).
std::string header_variable(std::string_view field);

// `score` is the position of the app.
BridgeSettings bridge_settings(const Settings& settings);

// Bytes of a body per second that clients of a listener have to send; 0: any.
std::uint32_t body_rate(const GlobalLimits& limits, FrontProtocol protocol);

// One JSON document; from_json(to_json(x)) == x for every x, bytes that are no UTF-8 included.
std::string to_json(const BridgeSettings& settings);

// Throws std::exception (boost::system::system_error) when the text is not what to_json writes.
BridgeSettings bridge_settings_from_json(std::string_view text);

}  // namespace viaduct::daemon::config
