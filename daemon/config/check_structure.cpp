#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "daemon/config/bridge_settings.hpp"
#include "daemon/config/checking.hpp"
#include "daemon/config/host_name.hpp"

namespace viaduct::daemon::config {
namespace {

// Below it: "/PID/workers/" and the name of a socket, together at most 107 bytes.
constexpr std::size_t kMaxRuntimeDir = 80;
constexpr std::uint64_t kLeastMemory = 1 << 20;  // with less a bridge would refuse everything

// `addressed`: peers may be known by addresses that others name, whatever the socket.
void check_peers(const Checking& check, const ListenerSettings& listener, const std::string& path,
                 const std::vector<protocol::PeerRule>& rules, bool addressed = false) {
  const Address::Kind kind = listener.address.kind;
  for (std::size_t index = 0; index < rules.size(); ++index) {
    const bool network = rules[index].kind == protocol::PeerRule::Kind::network;
    const std::string item = path + '[' + std::to_string(index) + ']';
    if (network && listener.address.is_unix() && !addressed)
      check.error(item, "expected uid:NAME or gid:NAME for a Unix socket");
    if (!network && kind == Address::Kind::tcp)
      check.error(item, "expected an IP address or a network such as 10.0.0.0/8 for TCP");
  }
}

void check_socket_file(const Checking& check, const ListenerSettings& listener,
                       const std::string& path) {
  if (listener.address.kind == Address::Kind::unix_path) return;
  const std::string reason = listener.address.kind == Address::Kind::systemd
                                 ? "not allowed with systemd: the socket unit decides it"
                                 : "only allowed with unix:/path, which is a file";
  for (const char* key : {".mode", ".owner", ".group"})
    if (check.written(path + key)) check.error(path + key, reason);
}

void check_address(const Checking& check, const ListenerSettings& listener,
                   const std::string& path) {
  if (!check.written(path + ".address")) check.error(path, "expected the key \"address\"");
  if (listener.address.name.empty()) return;
  check_socket_file(check, listener, path);
  check_peers(check, listener, path + ".allow", listener.allow);
  check_peers(check, listener, path + ".trusted", listener.trusted,
              protocol::names_client(listener.forwarded.source) || listener.proxy_protocol);
  if (listener.address.kind == Address::Kind::tcp && !is_loopback(listener.address) &&
      listener.allow.empty() && !(check.written(path + ".allow[0]")))
    check.error(path + ".address", format(listener.address) +
                                       " can be reached from other machines: expected \"allow\" "
                                       "with the peers that may connect");
}

// The daemon is the HTTP server there: it makes no tunnels, answers HEAD itself,
// and whoever is in front may be a browser, which knows nothing of files that it is named.
void check_http(const Checking& check, ListenerSettings& listener, const std::string& path) {
  if (listener.protocol != FrontProtocol::http) return;
  if (listener.upgrade)
    check.error(path + ".upgrade", "not allowed with http: only fastcgi, scgi and uwsgi");
  if (check.written(path + ".head_body") && listener.head_body == HeadBody::pass)
    check.error(path + ".head_body", "expected drop: HTTP has no body in a response to HEAD");
  listener.head_body = HeadBody::drop;
  if (check.written(path + ".send_file") && listener.send_file)
    check.error(path + ".send_file", "expected false: HTTP clients deliver no files");
  listener.send_file = false;
}

// Elsewhere the front server has made variables of them.
void check_odd_names(const Checking& check, const ListenerSettings& listener,
                     const std::string& path) {
  if (listener.odd_names == protocol::http::OddNames::keep &&
      listener.protocol != FrontProtocol::http)
    check.error(path + ".odd_names",
                "not allowed with " + std::string(to_string(listener.protocol)) + ": only http");
}

void check_duplicate_addresses(const Checking& check) {
  std::map<std::string, std::string> first;
  if (!check.settings.control.address.name.empty())
    first.emplace(format(check.settings.control.address), "control.address");
  for (std::size_t index = 0; index < check.settings.listeners.size(); ++index) {
    const Address& address = check.settings.listeners[index].address;
    const std::string path = listener_path(index) + ".address";
    if (address.name.empty()) continue;
    const auto [other, is_new] = first.emplace(format(address), path);
    if (is_new) continue;
    const Origin origin = check.where(other->second);
    check.error(path, format(address) + " is already the address of " + other->second +
                          (origin ? " at " + format(origin) : ""));
  }
}

void check_workers(const Checking& check, const AppSettings& app) {
  const std::string path = app_path(app) + ".workers";
  const Workers& workers = app.workers;
  const std::string max = "workers.max, which is " + std::to_string(workers.max);
  if (workers.min > workers.max) check.error(path + ".min", "expected at most " + max);
  if (workers.spare > workers.max) check.error(path + ".spare", "expected at most " + max);
}

void check_servers(const Checking& check, const AppSettings& app, const std::string& path) {
  for (std::size_t index = 0; index < app.connect.size(); ++index) {
    const Address& server = app.connect[index];
    const std::string item = path + '[' + std::to_string(index) + ']';
    if (server.kind == Address::Kind::systemd)
      check.error(item, "expected unix:/path, unix:@name or tcp:HOST:PORT");
    else if (server.kind == Address::Kind::tcp && !is_ip_address(server) && !is_host_name(server))
      check.error(item, "expected an IP address or the name of a host: letters, digits, - and _");
    const auto end = app.connect.begin() + static_cast<std::ptrdiff_t>(index);
    if (std::find(app.connect.begin(), end, server) != end)
      check.error(item, format(server) + " is already in the list");
  }
}

// Connections that carry several requests, one after the other or at once, are FastCGI's.
void check_protocol(const Checking& check, const AppSettings& app, const std::string& path) {
  if (app.server.protocol == ServerProtocol::fastcgi) return;
  const std::string reason =
      "not allowed with \"protocol: " + std::string(to_string(app.server.protocol)) +
      "\": its connections carry one request";
  if (app.server.keepalive) check.error(path + ".keepalive", reason);
  if (app.server.multiplex != Multiplex::never) check.error(path + ".multiplex", reason);
}

// A process of the server is held by a connection that is kept, and nobody says how many there are.
void warn_about_keepalive(const Checking& check, const AppSettings& app, const std::string& path) {
  if (!app.server.keepalive || app.concurrency.limit) return;
  check.warning(path + ".keepalive",
                "up to " + std::to_string(kServerConcurrency) +
                    " connections are kept to each server without \"concurrency.limit\": expected "
                    "as many as it serves at once, PHP-FPM's pm.max_children");
}

void check_no_server_keys(const Checking& check, const std::string& path) {
  for (const char* key : {".protocol", ".keepalive", ".multiplex", ".health"})
    if (check.written(path + key)) check.error(path + key, "only allowed with \"connect\"");
}

void check_app(const Checking& check, const AppSettings& app) {
  const std::string path = app_path(app);
  const bool command = check.written(path + ".command");
  const bool connect = check.written(path + ".connect");
  if (command && connect)
    check.error(path + ".connect", "expected only one of \"command\" and \"connect\"");
  if (!command && !connect)
    check.error(path, "expected one of the keys \"command\" and \"connect\"");
  if (connect && !command) {
    check_servers(check, app, path + ".connect");
    warn_about_keepalive(check, app, path);
    return check_protocol(check, app, path);
  }
  check_no_server_keys(check, path);
  check_workers(check, app);
  if (!app.canary) return;
  if (!check.written(path + ".canary.command"))
    check.error(path + ".canary", "expected the key \"command\"");
  if (!check.written(path + ".canary.share") && !check.written(path + ".canary.header"))
    check.error(path + ".canary", "expected one of the keys \"share\" and \"header\"");
}

void warn_about_idle_parts(const Checking& check) {
  if (check.settings.listeners.empty())
    check.warning({}, "no listeners are configured: nothing is served");
  std::set<std::string> routed;
  for (const ListenerSettings& listener : check.settings.listeners)
    for (const RouteSettings& route : listener.routes) routed.insert(route.app);
  for (const AppSettings& app : check.settings.apps)
    if (!routed.contains(app.name)) check.warning(app_path(app), "no listener leads to this app");
}

void warn_about_backlog(const Checking& check) {
  const auto somaxconn = check.system.somaxconn();
  if (!somaxconn) return;
  for (std::size_t index = 0; index < check.settings.listeners.size(); ++index) {
    const ListenerSettings& listener = check.settings.listeners[index];
    if (listener.address.kind != Address::Kind::systemd && listener.backlog > *somaxconn)
      check.warning(listener_path(index) + ".backlog",
                    std::to_string(listener.backlog) +
                        " is more than net.core.somaxconn, which is " + std::to_string(*somaxconn) +
                        ": that is what the kernel uses");
  }
}

}  // namespace

bool Checking::written(const std::string& path) const {
  return settings.origins.contains(path);
}

Origin Checking::where(std::string path) const {
  for (;;) {
    const auto known = settings.origins.find(path);
    if (known != settings.origins.end()) return known->second;
    const auto cut = path.find_last_of(".[");
    if (cut == std::string::npos) return {};
    path.resize(cut);
  }
}

void Checking::error(const std::string& path, std::string message) const {
  report.error(where(path), path, std::move(message));
}

void Checking::warning(const std::string& path, std::string message) const {
  report.warning(where(path), path, std::move(message));
}

void Checking::unusable(const std::string& path, int error, std::string message) const {
  if (error == ENOENT && purpose == Purpose::check) return warning(path, std::move(message));
  this->error(path, std::move(message));
}

std::string app_path(const AppSettings& app) {
  return "apps." + app.name;
}
std::string listener_path(std::size_t index) {
  return "listeners[" + std::to_string(index) + ']';
}

void check_structure(const Checking& check) {
  if (check.settings.control.address.kind != Address::Kind::unix_path)
    check.error("control.address", "expected unix:/path");
  if (check.settings.runtime_dir.size() > kMaxRuntimeDir)
    check.error("runtime_dir",
                "at most " + std::to_string(kMaxRuntimeDir) +
                    " bytes are allowed: the paths of sockets below it have a limit");
  const std::uint64_t memory = check.settings.limits.memory;
  if (memory != 0 && memory < kLeastMemory)
    check.error("limits.memory", "expected at least 1MiB, or 0 for no limit");
  for (std::size_t index = 0; index < check.settings.listeners.size(); ++index) {
    check_forwarded(check, check.settings.listeners[index], listener_path(index));
    check_http(check, check.settings.listeners[index], listener_path(index));
    check_odd_names(check, check.settings.listeners[index], listener_path(index));
    check_address(check, check.settings.listeners[index], listener_path(index));
    check_routes(check, check.settings.listeners[index], listener_path(index));
  }
  check_duplicate_addresses(check);
  for (const AppSettings& app : check.settings.apps) check_app(check, app);
  warn_about_idle_parts(check);
  warn_about_backlog(check);
}

}  // namespace viaduct::daemon::config
