#include <algorithm>
#include <charconv>

#include "sdk/src/percent.hpp"
#include "sdk/src/route_tree.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

// Stands for the position behind the last segment of a path.
constexpr std::size_t kEnd = std::string_view::npos;

bool is_number(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

}  // namespace

bool RouteTree::finish(const Node& node, Search& search) const {
  const auto shown = [&](const Endpoint& endpoint) {
    return search.implied == 0 || scopes_[endpoint.scope].depth >= search.implied;
  };
  const auto find = [&](std::string_view method) {
    const auto found =
        std::find_if(node.endpoints.begin(), node.endpoints.end(),
                     [&](const Endpoint& e) { return e.method == method && shown(e); });
    if (found == node.endpoints.end()) return false;
    search.match.handler = &found->handler;
    search.match.names = &found->names;
    search.match.scope = found->scope;
    return true;
  };
  if (find(search.method) || (search.method == "HEAD" && find("GET"))) return true;
  for (const Endpoint& endpoint : node.endpoints) {
    if (!shown(endpoint)) continue;
    if (search.match.allowed.empty()) search.match.scope = endpoint.scope;
    search.match.allowed.push_back(endpoint.method);
    if (endpoint.method == "GET") search.match.allowed.emplace_back("HEAD");
  }
  return false;
}

bool RouteTree::visit_capture(std::uint32_t node, std::string_view value, std::size_t next,
                              Search& search) const {
  search.values.emplace_back(value);
  if (visit(node, next, search)) return true;
  search.values.pop_back();
  return false;
}

// `segment`, decoded, begins at `at` of the path, the one behind it at `next`.
bool RouteTree::visit_children(const Node& node, std::string_view segment, std::size_t at,
                               std::size_t next, Search& search) const {
  if (const auto child = node.text.find(segment);
      child != node.text.end() && visit(child->second, next, search)) {
    return true;
  }
  if (node.number != 0 && is_number(segment) && visit_capture(node.number, segment, next, search)) {
    return true;
  }
  if (node.any != 0 && !segment.empty() && visit_capture(node.any, segment, next, search)) {
    return true;
  }
  if (node.tail == 0) return false;
  std::string rest;
  if (at != kEnd && !percent_decode(search.path.substr(at), rest)) {
    search.match.malformed = true;
    return false;
  }
  return visit_capture(node.tail, rest, kEnd, search);
}

// The prefix of a mounted router alone asks it for "/".
bool RouteTree::visit_end(const Node& node, Search& search) const {
  if (finish(node, search)) return true;
  if (node.mounted == 0 || search.implied != 0 || scopes_[node.mounted].depth == 0) return false;
  search.implied = scopes_[node.mounted].depth;
  const bool found = visit_children(node, {}, kEnd, kEnd, search);
  search.implied = 0;
  return found;
}

bool RouteTree::visit(std::uint32_t index, std::size_t at, Search& search) const {
  const Node& node = nodes_[index];
  if (node.mounted != 0 &&
      (search.innermost == 0 || scopes_[node.mounted].depth > scopes_[search.innermost].depth)) {
    search.innermost = node.mounted;
  }
  if (at == kEnd) return visit_end(node, search);
  const std::size_t slash = search.path.find('/', at);
  const std::size_t next = slash == kEnd ? kEnd : slash + 1;
  std::string_view segment = search.path.substr(at, slash == kEnd ? kEnd : slash - at);
  std::string decoded;
  if (segment.find('%') != kEnd) {
    if (!percent_decode(segment, decoded)) {
      search.match.malformed = true;
      return false;
    }
    segment = decoded;
  }
  return visit_children(node, segment, at, next, search);
}

RouteTree::Match RouteTree::match(std::string_view method, std::string_view raw_path,
                                  std::vector<std::string>& values) const {
  values.clear();
  Search search{.method = method, .path = raw_path, .values = values, .match = {}};
  Match& match = search.match;
  if (raw_path.starts_with('/') && visit(0, 1, search)) {
    match.allowed.clear();
    return std::move(match);
  }
  if (match.allowed.empty()) match.scope = search.innermost;
  std::sort(match.allowed.begin(), match.allowed.end());
  match.allowed.erase(std::unique(match.allowed.begin(), match.allowed.end()), match.allowed.end());
  return std::move(match);
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
