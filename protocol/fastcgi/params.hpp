#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "protocol/output.hpp"
#include "protocol/pairs.hpp"
#include "protocol/variables.hpp"

namespace viaduct::protocol::fastcgi {

/// Reads a stream of name-value pairs (FastCGI 3.4), cut anywhere. Every length is checked against
/// Limits before a byte of the pair is stored; pairs that are complete in the bytes fed are not
/// buffered.
class ParamsReader {
 public:
  /// `limits` must outlive the reader.
  explicit ParamsReader(const Limits& limits) : variables_(limits) {}

  /// Takes all bytes. After an error the rest of the stream is to be skipped.
  [[nodiscard]] Errc feed(Bytes bytes);
  /// The stream ended: bad_params when it did so within a pair.
  [[nodiscard]] Errc finish(RequestHead& head);
  /// The pairs so far, as they came.
  [[nodiscard]] const Pairs& received() const { return variables_.received(); }
  /// Whether bytes of an incomplete pair are held.
  [[nodiscard]] bool within_pair() const { return !partial_.empty(); }
  void reset();

 private:
  Errc take(std::string_view& text, bool admitted);

  Variables variables_;
  std::string partial_;    // bytes of the pair that is incomplete
  bool admitted_ = false;  // its lengths are known and within the limits
  std::uint64_t wanted_ = 0;
};

/// Bytes that a pair takes in a stream.
[[nodiscard]] std::uint64_t encoded_size(std::string_view name, std::string_view value);

/// Writes the lengths that precede a pair: 2 to 8 bytes. Returns how many. Lengths above 2^31 - 1
/// cannot be expressed.
std::size_t write_lengths(std::string_view name, std::string_view value, std::byte* to);

}  // namespace viaduct::protocol::fastcgi
