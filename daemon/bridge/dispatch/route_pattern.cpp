#include "daemon/bridge/dispatch/route_pattern.hpp"

#include <algorithm>

namespace viaduct::daemon::bridge {

namespace {

constexpr std::size_t kSegments = 4;
constexpr std::size_t kLongestSegment = 32;
constexpr std::size_t kLongestMethod = 16;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_version(std::string_view segment) {
  return segment.size() > 1 && segment.size() <= 4 && segment.front() == 'v' &&
         std::all_of(segment.begin() + 1, segment.end(), is_digit);
}

bool is_identifier(std::string_view segment) {
  if (segment.size() > kLongestSegment) return true;
  return std::any_of(segment.begin(), segment.end(), is_digit) && !is_version(segment);
}

}  // namespace

void route_pattern(std::string_view method, std::string_view path, std::string& into) {
  into.assign(method.substr(0, kLongestMethod));
  into += ' ';
  const std::size_t empty = into.size();
  for (std::size_t segments = 0, at = 0; at < path.size() && segments < kSegments;) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    at = end + 1;
    if (segment.empty()) continue;
    into += '/';
    into += is_identifier(segment) ? "*" : segment;
    ++segments;
  }
  if (into.size() == empty) into += '/';
}

}  // namespace viaduct::daemon::bridge
