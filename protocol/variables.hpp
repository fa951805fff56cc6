#pragma once

#include <array>
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
  [[nodiscard]] Errc admit(std::uint64_t name_size, std::uint64_t value_size) {
    if (name_size == 0) return Errc::bad_param_name;
    if (name_size > limits_.name) return Errc::param_name_too_long;
    if (value_size > limits_.value) return Errc::param_value_too_long;
    if (count_ >= limits_.count) return Errc::too_many_params;
    // Both lengths are within 32 bits here, so that the sum cannot wrap.
    if (bytes_ + name_size + value_size > limits_.params) return Errc::params_too_large;
    bytes_ += name_size + value_size;
    ++count_;
    return Errc::ok;
  }

  /// Adds a variable that was admitted. A NUL in its value is found by finish().
  [[nodiscard]] Errc add(std::string_view name, std::string_view value);

  /// The same for variables that come as a FastCGI name-value stream: bytes of it are appended,
  /// `untaken` are those that have not become variables yet, `take` makes the next one, which must
  /// be complete and admitted.
  void append_stream(std::string_view bytes);
  [[nodiscard]] std::string_view untaken() const { return received_.untaken(); }
  [[nodiscard]] Errc take(const PairLengths& lengths);

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

  void reserve(std::size_t bytes);
  void note(std::uint64_t hash);
  void filter(std::uint32_t number, std::uint64_t hash);
  void index(std::uint32_t number);
  void link(std::uint32_t first, std::uint32_t number);
  void grow();
  void merge(std::uint32_t first, Pairs& into, std::string& scratch) const;

  const Limits& limits_;
  Pairs received_;
  std::uint64_t bytes_ = 0;
  std::uint32_t count_ = 0;
  bool repeated_ = false;
  std::array<std::uint64_t, 16> seen_{};  // a bit for the hash of each of the first names
  std::vector<std::uint32_t>
      table_;  // of more: open addressing: number of a name's first pair, plus 1
  std::vector<std::uint32_t> next_;  // per pair: the next one of the same name
  std::vector<std::uint32_t> last_;  // per first pair: the last one of the same name
};

}  // namespace viaduct::protocol
