#include "daemon/config/keys.hpp"
#include "daemon/config/scalars.hpp"

namespace viaduct::daemon::config {
namespace {

constexpr std::uint32_t kMaxInARow = 1000;

Keys<Health> health_keys() {
  return {key("interval", &Health::interval, duration()),
          key("fail", &Health::fail, integer(1, kMaxInARow)),
          key("pass", &Health::pass, integer(1, kMaxInARow))};
}

Keys<ServerSettings> server_keys() {
  return {key("protocol", &ServerSettings::protocol,
              choice<ServerProtocol>({{"fastcgi", ServerProtocol::fastcgi},
                                      {"scgi", ServerProtocol::scgi},
                                      {"uwsgi", ServerProtocol::uwsgi}})),
          key("keepalive", &ServerSettings::keepalive, boolean()),
          key("multiplex", &ServerSettings::multiplex,
              choice<Multiplex>({{"never", Multiplex::never}, {"auto", Multiplex::automatic}})),
          nested("health", &ServerSettings::health, health_keys())};
}

ValueType<std::vector<Address>> some_addresses() {
  const ValueType<std::vector<Address>> addresses = list(address());
  return {[=](Reading& reading, const Node& node, const std::string& path) {
            auto value = addresses.read(reading, node, path);
            if (value && value->empty())
              reading.report.error(node.origin, path, "expected at least one address");
            return value;
          },
          addresses.print};
}

}  // namespace

Keys<AppSettings> connect_keys() {
  Keys<AppSettings> keys = {key("connect", &AppSettings::connect, some_addresses())};
  for (auto& server : inlined(&AppSettings::server, server_keys()))
    keys.push_back(std::move(server));
  // They exclude other keys, so that they are only printed where they apply.
  for (Key<AppSettings>& key : keys) {
    key.print = [print = key.print](DumpWriter& dump, const AppSettings& from,
                                    const std::string& path) {
      if (!from.connect.empty()) print(dump, from, path);
    };
  }
  return keys;
}

}  // namespace viaduct::daemon::config
