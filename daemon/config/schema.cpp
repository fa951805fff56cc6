#include "daemon/config/schema.hpp"

#include <map>

#include "daemon/config/suggestion.hpp"

namespace viaduct::daemon::config {

std::string join(const std::string& parent, std::string_view key) {
  return parent.empty() ? std::string(key) : parent + '.' + std::string(key);
}

namespace detail {

bool check_map(Reading& reading, const Node& node, const std::string& path) {
  if (node.kind != Node::Kind::map) {
    if (node.kind != Node::Kind::null) wrong_kind(reading, node, path, "a map");
    return node.kind == Node::Kind::null;
  }
  if (node.entries.size() > kMaxMapEntries) {
    reading.report.error(node.origin, path,
                         "at most " + std::to_string(kMaxMapEntries) + " keys are allowed");
    return false;
  }
  std::map<std::string_view, const Origin*> first;
  for (const Entry& entry : node.entries) {
    if (entry.key == "<<")
      reading.report.error(entry.origin, path,
                           "merging with << is not supported; keys that apps share go into "
                           "\"defaults\"");
    const auto [at, is_new] = first.emplace(entry.key, &entry.origin);
    if (!is_new)
      reading.report.error(entry.origin, join(path, entry.key),
                           "duplicate key; it was first set at " + format(*at->second));
  }
  return true;
}

void unknown_key(Reading& reading, const Entry& entry, const std::string& path,
                 const std::vector<std::string_view>& known) {
  reading.report.error(entry.origin, path, "unknown key" + did_you_mean(entry.key, known));
}

}  // namespace detail
}  // namespace viaduct::daemon::config
