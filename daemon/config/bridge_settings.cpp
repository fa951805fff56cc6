#include "daemon/config/bridge_settings.hpp"

#include <cctype>

#include "daemon/config/described_json.hpp"
#include "daemon/config/settings.hpp"

namespace viaduct::protocol {

BOOST_DESCRIBE_ENUM(PeerRule::Kind, network, uid, gid)
BOOST_DESCRIBE_STRUCT(PeerRule, (), (kind, text, network, prefix, id))
BOOST_DESCRIBE_ENUM(HeadRules, lenient, strict)
BOOST_DESCRIBE_ENUM(ForwardedSource, none, pass, x_forwarded_for, forwarded)
BOOST_DESCRIBE_STRUCT(ForwardedOptions, (), (source, host, proto, port))

}  // namespace viaduct::protocol

namespace viaduct::protocol::http {

BOOST_DESCRIBE_ENUM(OddNames, drop, keep)

}  // namespace viaduct::protocol::http

namespace viaduct::daemon::config {

BOOST_DESCRIBE_ENUM(FrontProtocol, fastcgi, scgi, uwsgi, http)
BOOST_DESCRIBE_ENUM(ServerProtocol, fastcgi, scgi, uwsgi)
BOOST_DESCRIBE_ENUM(Multiplex, never, automatic)
BOOST_DESCRIBE_ENUM(ConcurrencyModel, threads, fibers)
BOOST_DESCRIBE_ENUM(Buffering, automatic, always, never)
BOOST_DESCRIBE_ENUM(Retry, never, idempotent)
BOOST_DESCRIBE_ENUM(HeadBody, pass, drop)
BOOST_DESCRIBE_ENUM(Priority, high, normal, low)
BOOST_DESCRIBE_ENUM(SandboxMode, automatic, required, off)
BOOST_DESCRIBE_ENUM(LogLevel, debug, info, warn, error)
BOOST_DESCRIBE_ENUM(LogFormat, text, json)
BOOST_DESCRIBE_ENUM(LogTarget::Kind, off, inherit, standard_error, journal, syslog, file)
BOOST_DESCRIBE_ENUM(Address::Kind, unix_path, unix_abstract, tcp, systemd)

BOOST_DESCRIBE_STRUCT(LogTarget, (), (kind, path))
BOOST_DESCRIBE_STRUCT(LogSettings, (), (level, format, to))
BOOST_DESCRIBE_STRUCT(AccessLogSettings, (), (to, format, sample))
BOOST_DESCRIBE_STRUCT(Address, (), (kind, name, port))
BOOST_DESCRIBE_STRUCT(GlobalLimits, (),
                      (connections, memory, body_rate, spool, connections_per_client))
BOOST_DESCRIBE_STRUCT(HeaderRule, (), (name, value))
BOOST_DESCRIBE_STRUCT(RouteSettings, (),
                      (host, path, exact, methods, header, mount, app, priority, limit))
BOOST_DESCRIBE_STRUCT(Timeouts, (),
                      (start, connect, queue, request, stall, body, send, slow, abort, stop))
BOOST_DESCRIBE_STRUCT(AppLimits, (), (queue, params, body, retry_buffer, requests, age, memory))
BOOST_DESCRIBE_STRUCT(ResponseBuffers, (), (memory, file))
BOOST_DESCRIBE_STRUCT(Poison, (), (deaths, within, closed))
BOOST_DESCRIBE_STRUCT(Concurrency, (), (model, limit))
BOOST_DESCRIBE_STRUCT(Health, (), (interval, fail, pass))
BOOST_DESCRIBE_STRUCT(ServerSettings, (), (protocol, keepalive, multiplex, health, unread, silence))
BOOST_DESCRIBE_STRUCT(ParamOverride, (), (name, value))
BOOST_DESCRIBE_STRUCT(BridgeListener, (),
                      (protocol, address, allow, trusted, proxy_protocol, forwarded, upgrade,
                       odd_names, head_body, send_file, routes))
BOOST_DESCRIBE_STRUCT(BridgeApp, (),
                      (name, timeouts, limits, concurrency, buffer_requests, buffer_responses,
                       response_heads, retry, poison, probe, params, log, score, canary_share,
                       canary_variable, connect, server))
BOOST_DESCRIBE_STRUCT(BridgeSettings, (),
                      (threads, sandbox, spool, limits, unread, log, access_log, listeners, apps))

std::string header_variable(std::string_view field) {
  std::string name;
  for (const char c : field) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name == "CONTENT_TYPE" || name == "CONTENT_LENGTH" ? name : "HTTP_" + name;
}

BridgeSettings bridge_settings(const Settings& settings) {
  BridgeSettings bridge;
  bridge.threads = settings.bridge.threads;
  bridge.sandbox = settings.bridge.sandbox;
  bridge.spool = settings.bridge.spool;
  bridge.limits = settings.limits;
  bridge.log = settings.log;
  bridge.access_log = settings.access_log;
  for (const ListenerSettings& listener : settings.listeners) {
    bridge.listeners.push_back({listener.protocol, listener.address, listener.allow,
                                listener.trusted, listener.proxy_protocol, listener.forwarded,
                                listener.upgrade, listener.odd_names, listener.head_body,
                                listener.send_file, listener.routes});
  }
  for (const AppSettings& app : settings.apps) {
    BridgeApp& added = bridge.apps.emplace_back(BridgeApp{
        app.name, app.timeouts, app.limits, app.concurrency, app.buffer_requests,
        app.buffer_responses, app.response_heads, app.retry, app.poison, app.probe, app.params,
        app.log, static_cast<std::uint32_t>(bridge.apps.size()), 0, "", app.connect, app.server});
    if (!app.canary) continue;
    added.canary_share = app.canary->share;
    if (!app.canary->header.empty()) added.canary_variable = header_variable(app.canary->header);
  }
  return bridge;
}

std::uint32_t body_rate(const GlobalLimits& limits, FrontProtocol protocol) {
  return limits.body_rate.value_or(protocol == FrontProtocol::http ? kHttpBodyRate : 0);
}

std::string to_json(const BridgeSettings& settings) {
  return boost::json::serialize(described::write(settings));
}

BridgeSettings bridge_settings_from_json(std::string_view text) {
  boost::json::parse_options options;
  options.allow_invalid_utf8 = true;
  BridgeSettings settings;
  described::read(boost::json::parse({text.data(), text.size()}, {}, options), settings);
  return settings;
}

}  // namespace viaduct::daemon::config
