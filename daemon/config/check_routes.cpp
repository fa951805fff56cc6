#include <map>

#include "daemon/config/checking.hpp"
#include "daemon/config/suggestion.hpp"

namespace viaduct::daemon::config {
namespace {

void check_app_name(const Checking& check, const std::string& path, const std::string& app) {
  if (app.empty() || find_app(check.settings, app)) return;
  std::vector<std::string_view> names;
  for (const AppSettings& known : check.settings.apps) names.push_back(known.name);
  check.error(path, "no app named \"" + app + '"' + did_you_mean(app, names));
}

// What a route requires of a request, in words that are the same for the same conditions.
std::string describe(const RouteSettings& route) {
  std::string text = route.host + (route.exact.empty() ? route.path : "=" + route.exact);
  std::string between = " ";
  for (const std::string& method : route.methods) {
    text += between + method;
    between = ",";
  }
  if (!route.header) return text;
  return text + ' ' + route.header->name + (route.header->value ? "=" + *route.header->value : "");
}

void check_route(const Checking& check, const RouteSettings& route, const std::string& path) {
  check_app_name(check, path + ".app", route.app);
  if (!check.written(path + ".app")) check.error(path, "expected the key \"app\"");
  if (check.written(path + ".exact") && check.written(path + ".path"))
    check.error(path + ".exact", "expected only one of \"path\" and \"exact\"");
  if (check.written(path + ".exact") && route.mount)
    check.error(path + ".mount", "a prefix is what moves: expected \"path\" instead of \"exact\"");
}

void add_default(const Checking& check, ListenerSettings& listener, const std::string& path,
                 const std::map<std::string, std::string>& first) {
  if (!check.written(path + ".default")) return;
  check_app_name(check, path + ".default", listener.default_app);
  const auto all = first.find("/");
  if (all != first.end())
    check.error(path + ".default", "no request is left for it: the route at " +
                                       format(check.where(all->second)) + " takes all");
  if (!listener.default_app.empty()) listener.routes.push_back({.app = listener.default_app});
}

}  // namespace

void check_routes(const Checking& check, ListenerSettings& listener, const std::string& path) {
  const bool app = check.written(path + ".app");
  const bool routes = check.written(path + ".routes");
  if (app == routes) {
    check.error(app ? path + ".routes" : path,
                app ? "expected only one of \"app\" and \"routes\""
                    : "expected one of the keys \"app\" and \"routes\"");
    return;
  }
  if (app) {
    check_app_name(check, path + ".app", listener.app);
    if (check.written(path + ".default"))
      check.error(path + ".default", "no request is left for it: \"app\" takes all");
    listener.routes = {{.app = listener.app}};
    listener.default_app.clear();
    return;
  }
  std::map<std::string, std::string> first;
  for (std::size_t index = 0; index < listener.routes.size(); ++index) {
    const std::string item = path + ".routes[" + std::to_string(index) + ']';
    check_route(check, listener.routes[index], item);
    const std::string words = describe(listener.routes[index]);
    const auto [other, is_new] = first.emplace(words, item);
    if (!is_new)
      check.error(item, "duplicate route " + words + "; the first is at " +
                            format(check.where(other->second)));
  }
  add_default(check, listener, path, first);
}

}  // namespace viaduct::daemon::config
