#pragma once

#include "protocol/output.hpp"
#include "protocol/pair_lengths.hpp"
#include "protocol/pairs.hpp"
#include "protocol/variables.hpp"

namespace viaduct::protocol::fastcgi {

/// Reads a stream of name-value pairs (FastCGI 3.4), cut anywhere. Every length is checked against
/// Limits as soon as it is known: what is held is the pairs within them, and one feeding more.
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
  [[nodiscard]] bool within_pair() const { return !variables_.untaken().empty(); }
  void reset();
  /// Bytes of memory that it is and holds.
  [[nodiscard]] std::size_t memory() const { return sizeof(*this) + variables_.memory(); }

 private:
  Variables variables_;
  PairLengths incomplete_;  // of the pair that is; known and admitted unless `size` is 0
};

}  // namespace viaduct::protocol::fastcgi
