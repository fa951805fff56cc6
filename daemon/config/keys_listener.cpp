#include "daemon/config/keys.hpp"
#include "daemon/config/scalars.hpp"

namespace viaduct::daemon::config {
namespace {

constexpr std::uint32_t kMaxBacklog = 65'535;
constexpr std::uint32_t kMaxRouteLimit = 1'000'000;

// A prefix of paths. "/blog/" and "/blog" are the same: prefixes end at '/'.
ValueType<std::string> url_prefix() {
  return {[](Reading& reading, const Node& node,
             const std::string& path) -> std::optional<std::string> {
            const auto written = scalar(reading, node, path, "a path that begins with /");
            if (!written) return std::nullopt;
            std::string prefix(*written);
            if (!prefix.starts_with('/') || prefix.find_first_of("?#*{}") != std::string::npos) {
              reading.report.error(node.origin, path,
                                   "expected a path that begins with /, without ? # * { }");
              return std::nullopt;
            }
            while (prefix.size() > 1 && prefix.ends_with('/')) prefix.pop_back();
            return prefix;
          },
          quote_yaml};
}

Keys<RouteSettings> route_keys() {
  return {
      refused<RouteSettings>("host", text()),
      refused<RouteSettings>("methods", list(text())),
      key("path", &RouteSettings::path, url_prefix()),
      key("mount", &RouteSettings::mount, boolean()),
      key("app", &RouteSettings::app, text()),
      key("priority", &RouteSettings::priority,
          choice<Priority>(
              {{"high", Priority::high}, {"normal", Priority::normal}, {"low", Priority::low}})),
      key("limit", &RouteSettings::limit, integer(0, kMaxRouteLimit))};
}

Key<ListenerSettings> routes_key() {
  const Keys<RouteSettings> keys = route_keys();
  return {"routes",
          [=](Reading& reading, const Node& node, const std::string& path, ListenerSettings& into) {
            if (!detail::check_list(reading, node, path)) return;
            if (node.items.empty())
              reading.report.error(node.origin, path, "expected at least one route");
            for (const NodePtr& item : node.items) {
              const std::string item_path = path + '[' + std::to_string(into.routes.size()) + ']';
              reading.origins[item_path] = item->origin;
              read_map(reading, *item, item_path, into.routes.emplace_back(), keys);
            }
          },
          [=](DumpWriter& dump, const ListenerSettings& from, const std::string& path) {
            if (!from.app.empty()) return;
            dump.open("routes");
            for (std::size_t index = 0; index < from.routes.size(); ++index) {
              dump.open_item();
              print_map(dump, from.routes[index], path + '[' + std::to_string(index) + ']', keys);
              dump.close();
            }
            dump.close();
          }};
}

ValueType<FrontProtocol> front_protocol() {
  using P = FrontProtocol;
  std::vector<std::pair<std::string_view, P>> words;
  for (const P protocol : {P::fastcgi, P::scgi, P::uwsgi, P::http}) {
    words.emplace_back(to_string(protocol), protocol);
  }
  return choice<P>(std::move(words));
}

}  // namespace

Keys<ListenerSettings> listener_keys() {
  using L = ListenerSettings;
  Keys<L> keys = {key("protocol", &L::protocol, front_protocol()),
                  key("address", &L::address, address()),
                  text_key("owner", &L::owner, text()),
                  text_key("group", &L::group, text()),
                  key("mode", &L::mode, file_mode(0777)),
                  key("backlog", &L::backlog, integer(1, kMaxBacklog)),
                  key("allow", &L::allow, list(peer_rule())),
                  key("trusted", &L::trusted, list(peer_rule())),
                  text_key("app", &L::app, text()),
                  routes_key()};
  Key<L>& mode = keys[4];
  const auto print_mode = mode.print;
  mode.print = [=](DumpWriter& dump, const L& from, const std::string& path) {
    if (from.address.kind == Address::Kind::unix_path) print_mode(dump, from, path);
  };
  return keys;
}

}  // namespace viaduct::daemon::config
