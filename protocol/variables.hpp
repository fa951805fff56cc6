#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/codec.hpp"
#include "protocol/errc.hpp"
#include "protocol/message.hpp"

namespace viaduct::protocol {

/// Collects the CGI variables of one request under Limits, whatever protocol they arrive in.
///
/// HTTP_PROXY (httpoxy) and HTTP_TRANSFER_ENCODING are dropped. Repetitions are merged as
/// RequestHead says, in time linear in the bytes received: names are found through a hash table,
/// values joined once, by `finish`. The separators of merged values, two bytes each at most, come
/// on top of Limits::params; dropped variables count in it.
class Variables {
 public:
  /// `limits` must outlive the object.
  explicit Variables(const Limits& limits) : limits_(limits) {}

  /// Whether a variable of these lengths may still come; to be asked as soon as the lengths are
  /// known and before anything of the variable is stored. Counts it when the answer is ok.
  [[nodiscard]] Errc admit(std::uint64_t name_size, std::uint64_t value_size);

  /// Adds a variable that was admitted.
  [[nodiscard]] Errc add(std::string_view name, std::string_view value);

  /// Moves the merged variables into `head`, with CONTENT_LENGTH read: '' and '-1' mean that the
  /// client did not say. bad_body_length when it is no number or two of them differ.
  [[nodiscard]] Errc finish(RequestHead& head);

  /// How often `name` was added.
  [[nodiscard]] std::size_t occurrences(std::string_view name) const;
  /// The variables as they came, not merged.
  [[nodiscard]] const Pairs& received() const { return received_; }

  /// Makes it ready for another request; keeps memory up to a few KiB.
  void reset();

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  void index(std::uint32_t number);
  void grow();
  void merge(std::uint32_t first, Pairs& into, std::string& scratch) const;

  const Limits& limits_;
  Pairs received_;
  std::uint64_t bytes_ = 0;
  std::uint32_t count_ = 0;
  bool repeated_ = false;
  std::vector<std::uint32_t> table_;  // open addressing: number of a name's first pair, plus 1
  std::vector<std::uint32_t> next_;   // per pair: the next one of the same name
  std::vector<std::uint32_t> last_;   // per first pair: the last one of the same name
};

}  // namespace viaduct::protocol
