#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace viaduct::protocol {

struct HashKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

/// SipHash-1-3: who does not know the key cannot make texts that collide.
[[nodiscard]] std::uint64_t keyed_hash(std::string_view text, HashKey key);

/// A key that this process has chosen at random. The same for as long as it lives.
[[nodiscard]] HashKey process_hash_key();

/// For unordered containers whose keys a peer chooses.
struct KeyedHash {
  HashKey key = process_hash_key();
  std::size_t operator()(std::string_view text) const { return keyed_hash(text, key); }
};

}  // namespace viaduct::protocol
