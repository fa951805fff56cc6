#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace viaduct::protocol {

/// The two lengths in front of a name-value pair (FastCGI 3.4), each of one byte below 128, of four
/// otherwise.
struct PairLengths {
  std::uint64_t name = 0;
  std::uint64_t value = 0;
  std::size_t size = 0;  ///< bytes of the lengths themselves; 0: they are incomplete

  /// Bytes of the whole pair. Cannot wrap: either length is below 2^31.
  [[nodiscard]] std::uint64_t total() const { return size + name + value; }
};

/// Reads the lengths that `stream` begins with.
[[nodiscard]] inline PairLengths read_lengths(std::string_view stream) {
  // Every access is behind a comparison with size(): operator[] would make another.
  const auto at = [data = stream.data()](std::size_t i) {
    return std::uint64_t{static_cast<unsigned char>(data[i])};
  };
  if (stream.size() >= 2 && (at(0) | at(1)) < 0x80) return {at(0), at(1), 2};
  PairLengths lengths;
  std::size_t taken = 0;
  for (std::uint64_t* length : {&lengths.name, &lengths.value}) {
    if (taken == stream.size()) return {};
    if (at(taken) < 0x80) {
      *length = at(taken++);
      continue;
    }
    if (stream.size() - taken < 4) return {};
    *length = (at(taken) & 0x7f) << 24 | at(taken + 1) << 16 | at(taken + 2) << 8 | at(taken + 3);
    taken += 4;
  }
  lengths.size = taken;
  return lengths;
}

/// Bytes that a pair takes in a stream.
[[nodiscard]] inline std::uint64_t encoded_size(std::string_view name, std::string_view value) {
  return (name.size() < 0x80 ? 1u : 4u) + (value.size() < 0x80 ? 1u : 4u) +
         std::uint64_t{name.size()} + value.size();
}

/// Writes the lengths that precede a pair: 2 to 8 bytes. Returns how many. Lengths above 2^31 - 1
/// cannot be expressed.
inline std::size_t write_lengths(std::string_view name, std::string_view value, char* to) {
  std::size_t size = 0;
  for (const std::size_t length : {name.size(), value.size()}) {
    if (length >= 0x80) {
      to[size++] = static_cast<char>(length >> 24 | 0x80);
      to[size++] = static_cast<char>(length >> 16);
      to[size++] = static_cast<char>(length >> 8);
    }
    to[size++] = static_cast<char>(length);
  }
  return size;
}

}  // namespace viaduct::protocol
