#include "daemon/config/connect_apps.hpp"
#include "daemon/config/keys.hpp"
#include "daemon/config/scalars.hpp"

namespace viaduct::daemon::config {
namespace {

constexpr std::uint32_t kMaxThreads = 256;
constexpr std::uint32_t kMaxConnections = 1'000'000;
constexpr std::uint32_t kMaxBodyRate = 1'000'000'000;

Key<Settings> read_elsewhere(std::string_view name) {
  return {name, [](Reading&, const Node&, const std::string&, Settings&) {}, nullptr};
}

Keys<LogSettings> log_keys() {
  return {key("level", &LogSettings::level,
              choice<LogLevel>({{"debug", LogLevel::debug},
                                {"info", LogLevel::info},
                                {"warn", LogLevel::warn},
                                {"error", LogLevel::error}})),
          key("format", &LogSettings::format,
              choice<LogFormat>({{"text", LogFormat::text}, {"json", LogFormat::json}})),
          key("to", &LogSettings::to, log_target(LogTarget::Kind::standard_error))};
}

Keys<AccessLogSettings> access_log_keys() {
  return {key("to", &AccessLogSettings::to, log_target(LogTarget::Kind::off)),
          key("format", &AccessLogSettings::format,
              choice<LogFormat>({{"text", LogFormat::text}, {"json", LogFormat::json}})),
          key("sample", &AccessLogSettings::sample, fraction())};
}

Keys<ControlSettings> control_keys() {
  return {key("address", &ControlSettings::address, address()),
          key("mode", &ControlSettings::mode, file_mode(0777)),
          text_key("group", &ControlSettings::group, text())};
}

// A map, or only the address.
Key<Settings> control_key() {
  Key<Settings> control = nested("control", &Settings::control, control_keys());
  const auto read_as_map = control.read;
  control.read = [=](Reading& reading, const Node& node, const std::string& path, Settings& into) {
    if (node.kind != Node::Kind::scalar) return read_as_map(reading, node, path, into);
    reading.origins[join(path, "address")] = node.origin;
    if (auto bare = address().read(reading, node, path)) into.control.address = std::move(*bare);
  };
  return control;
}

ValueType<std::string> directory_or_none() {
  return {[](Reading& reading, const Node& node,
             const std::string& path) -> std::optional<std::string> {
            const auto written = scalar(reading, node, path, "a path");
            if (!written || written->empty()) return written ? std::optional("") : std::nullopt;
            return absolute_path(node.origin, *written);
          },
          quote_yaml};
}

Keys<BridgeProcessSettings> bridge_keys() {
  Keys<Identity> identity = {text_key("user", &Identity::user, text()),
                             text_key("group", &Identity::group, text()),
                             optional_key("groups", &Identity::groups, list(text()))};
  Keys<BridgeProcessSettings> keys = inlined(&BridgeProcessSettings::identity, identity);
  keys.insert(keys.begin(),
              {key("threads", &BridgeProcessSettings::threads, integer(1, kMaxThreads)),
               key("sandbox", &BridgeProcessSettings::sandbox,
                   choice<SandboxMode>({{"auto", SandboxMode::automatic},
                                        {"required", SandboxMode::required},
                                        {"off", SandboxMode::off}}))});
  keys.push_back(text_key("spool", &BridgeProcessSettings::spool, directory_or_none()));
  return keys;
}

Keys<GlobalLimits> limit_keys() {
  return {key("connections", &GlobalLimits::connections, integer(1, kMaxConnections)),
          key("connections_per_client", &GlobalLimits::connections_per_client,
              integer(0, kMaxConnections)),
          key("memory", &GlobalLimits::memory, size(0)),
          key("spool", &GlobalLimits::spool, size(0)),
          optional_key("body_rate", &GlobalLimits::body_rate, integer(0, kMaxBodyRate))};
}

Key<Settings> print_only_listeners() {
  Key<Settings> listeners = read_elsewhere("listeners");
  listeners.print = [](DumpWriter& dump, const Settings& from, const std::string& path) {
    dump.open("listeners");
    for (std::size_t index = 0; index < from.listeners.size(); ++index) {
      dump.open_item();
      print_map(dump, from.listeners[index], path + '[' + std::to_string(index) + ']',
                listener_keys());
      dump.close();
    }
    dump.close();
  };
  return listeners;
}

Key<Settings> print_only_apps() {
  Key<Settings> apps = read_elsewhere("apps");
  apps.print = [](DumpWriter& dump, const Settings& from, const std::string& path) {
    dump.open("apps");
    for (const AppSettings& app : from.apps) {
      dump.open(app.name);
      Keys<AppSettings> keys = app_keys();
      if (!app.connect.empty())
        std::erase_if(keys, [](const auto& key) { return is_worker_key(key.name); });
      print_map(dump, app, join(path, app.name), keys);
      dump.close();
    }
    dump.close();
  };
  return apps;
}

}  // namespace

Keys<Settings> settings_keys() {
  Key<Settings> include = key("include", &Settings::include, list(text()));
  include.print = nullptr;
  return {include,
          key("runtime_dir", &Settings::runtime_dir, path()),
          control_key(),
          nested("log", &Settings::log, log_keys()),
          nested("access_log", &Settings::access_log, access_log_keys()),
          nested("bridge", &Settings::bridge, bridge_keys()),
          nested("limits", &Settings::limits, limit_keys()),
          read_elsewhere("defaults"),
          print_only_listeners(),
          print_only_apps()};
}

Keys<Settings> included_keys() {
  Keys<Settings> keys = settings_keys();
  for (Key<Settings>& known : keys)
    if (known.name != "listeners" && known.name != "apps")
      known.read = [](Reading& reading, const Node& node, const std::string& path, Settings&) {
        reading.report.error(node.origin, path,
                             "only allowed in the main file; included files hold \"listeners\" "
                             "and \"apps\"");
      };
  return keys;
}

}  // namespace viaduct::daemon::config
