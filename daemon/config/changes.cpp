#include "daemon/config/changes.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "daemon/config/dump_writer.hpp"
#include "daemon/config/keys.hpp"

namespace viaduct::daemon::config {
namespace {

using Values = std::map<std::string, std::string, std::less<>>;  // path of the key -> YAML

// "timeouts.request" and "routes[0].path" become "timeouts" and "routes".
std::string first_part(std::string_view path) {
  return std::string(path.substr(0, path.find_first_of(".[")));
}

std::string_view rest_of(std::string_view path, std::size_t part) {
  const std::string_view rest = path.substr(part);
  return rest.starts_with('.') ? rest.substr(1) : std::string_view();
}

// The values whose path begins with `prefix`, by the rest of it.
Values below(const Values& all, const std::string& prefix) {
  Values found;
  for (auto at = all.lower_bound(prefix); at != all.end() && at->first.starts_with(prefix); ++at) {
    found.emplace(at->first.substr(prefix.size()), at->second);
  }
  return found;
}

// Paths of which the value is not the same, or there once only.
std::set<std::string> differing(const Values& before, const Values& after) {
  std::set<std::string> paths;
  const auto compare = [&paths](const Values& one, const Values& other) {
    for (const auto& [path, value] : one) {
      const auto found = other.find(path);
      if (found == other.end() || found->second != value) paths.insert(path);
    }
  };
  compare(before, after);
  compare(after, before);
  return paths;
}

std::vector<std::string> first_parts(const std::set<std::string>& paths) {
  std::set<std::string> parts;
  for (const std::string& path : paths) parts.insert(first_part(path));
  return {parts.begin(), parts.end()};
}

std::map<std::string, Values> by_address(const Settings& settings, const Values& all) {
  std::map<std::string, Values> listeners;
  for (std::size_t i = 0; i < settings.listeners.size(); ++i) {
    listeners.emplace(format(settings.listeners[i].address),
                      below(all, "listeners[" + std::to_string(i) + "]."));
  }
  return listeners;
}

Values values_of(const Settings& settings) {
  DumpWriter writer(settings.origins);
  print_map(writer, settings, {}, settings_keys());
  return writer.values();
}

void compare_listeners(const std::map<std::string, Values>& before,
                       const std::map<std::string, Values>& after, Changes& changes) {
  for (const auto& [address, values] : after) {
    const auto old = before.find(address);
    if (old == before.end()) {
      changes.added_listeners.push_back(address);
    } else if (auto keys = first_parts(differing(old->second, values)); !keys.empty()) {
      changes.listeners.emplace(address, std::move(keys));
    }
  }
  for (const auto& [address, values] : before) {
    if (!after.contains(address)) changes.removed_listeners.push_back(address);
  }
}

}  // namespace

Changes changes(const Settings& before, const Settings& after) {
  Changes result;
  const Values old_values = values_of(before);
  const Values new_values = values_of(after);
  for (const std::string& path : differing(old_values, new_values)) {
    const std::string top = first_part(path);
    // `defaults` is in the apps; what is included, in what that holds.
    if (top == "apps" || top == "listeners" || top == "defaults" || top == "include") continue;
    auto& keys = result.global[top];
    const std::string key = first_part(rest_of(path, top.size()));
    if (!key.empty() && (keys.empty() || keys.back() != key)) keys.push_back(key);
  }
  for (const AppSettings& app : after.apps) {
    const bool is_new = std::none_of(before.apps.begin(), before.apps.end(),
                                     [&app](const auto& old) { return old.name == app.name; });
    if (is_new) continue;
    const std::string prefix = "apps." + app.name + ".";
    auto keys = first_parts(differing(below(old_values, prefix), below(new_values, prefix)));
    if (!keys.empty()) result.apps.emplace(app.name, std::move(keys));
  }
  compare_listeners(by_address(before, old_values), by_address(after, new_values), result);
  return result;
}

}  // namespace viaduct::daemon::config
