#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/keyed_hash.hpp"

namespace viaduct::test {

/// `count` names of capital letters behind `prefix` that a hash table of `buckets` (a power of two)
/// or fewer puts into one bucket when its key is `key`: what somebody sends who knows the key.
inline std::vector<std::string> colliding_names(std::string_view prefix, std::size_t count,
                                                protocol::HashKey key, std::size_t buckets) {
  std::vector<std::string> names;
  std::size_t mask = 1;
  while (mask < buckets) mask <<= 1;
  --mask;
  for (std::size_t i = 0; names.size() < count; ++i) {
    std::string name(prefix);
    for (std::size_t rest = i, digits = 0; digits < 6; ++digits, rest /= 26) {
      name += static_cast<char>('A' + rest % 26);
    }
    if ((protocol::keyed_hash(name, key) & mask) == 0) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace viaduct::test
