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

/// Of requests and responses on the wire, and of what the SDK reads in them.
std::vector<Case> protocol_cases();
std::vector<Case> sdk_cases();

inline std::vector<Case> all_cases() {
  std::vector<Case> cases = protocol_cases();
  for (Case& one : sdk_cases()) cases.push_back(std::move(one));
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
