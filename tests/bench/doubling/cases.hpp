#pragma once

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace viaduct::bench {

/// Hostile input to one parser, in a size of one's choice.
struct Case {
  std::string name;
  std::size_t least;                     ///< the smallest size of interest
  std::function<void(std::size_t)> run;  ///< parses input of that size; ends the process when the
                                         ///< parser did not take it as meant
};

std::vector<Case> protocol_cases();  ///< requests, and heads of responses, on the wire
std::vector<Case> client_cases();    ///< what workers and other servers send
std::vector<Case> name_cases();      ///< names that collide, in whatever has names
std::vector<Case> sdk_cases();       ///< bodies and header fields, as the SDK reads them
std::vector<Case> value_cases();     ///< JSON, lists, dates, and lines of logs
std::vector<Case> route_cases();     ///< paths and hosts, looked up among routes

inline std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto make :
       {protocol_cases, client_cases, name_cases, sdk_cases, value_cases, route_cases}) {
    for (Case& one : make()) cases.push_back(std::move(one));
  }
  return cases;
}

/// A parser that stops early is linear for the wrong reason.
inline void require(bool condition) {
  if (!condition) std::abort();
}

inline std::string repeated(std::string_view text, std::size_t count) {
  std::string result;
  result.reserve(text.size() * count);
  while (count-- > 0) result += text;
  return result;
}

/// Calls `take(std::string_view)` with pieces of that size.
template <class Take>
void in_pieces(std::string_view bytes, std::size_t size, Take take) {
  for (std::size_t at = 0; at < bytes.size(); at += size) take(bytes.substr(at, size));
}

}  // namespace viaduct::bench
