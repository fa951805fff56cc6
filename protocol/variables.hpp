#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
    // Both lengths are below 2^32 where it matters, so that the sum cannot wrap.
    const std::uint64_t sum = bytes_ + name_size + value_size;
    if (name_size - 1 >= limits_.name || value_size > limits_.value || count_ >= limits_.count ||
        sum > limits_.params) {
      return refusal(name_size, value_size);
    }
    bytes_ = sum;
    ++count_;
    return Errc::ok;
  }

  /// Adds a variable that was admitted.
  void add(std::string_view name, std::string_view value);

  /// The same for variables that come as a FastCGI name-value stream: bytes of it are appended,
  /// `untaken` are those that have not become variables yet, `take` makes the next one, which must
  /// be complete and admitted.
  void append_stream(std::string_view bytes);
  [[nodiscard]] std::string_view untaken() const { return received_.untaken(); }
  void take(const PairLengths& lengths) {
    const std::string_view name = received_.untaken_name(lengths);
    if (dropped(name)) {
      note_dropped(name);
      received_.skip(lengths);
    } else {
      received_.take(lengths);
      note(name);
    }
  }

  /// Moves the merged variables into `head`, with CONTENT_LENGTH read: '' and '-1' mean that the
  /// client did not say, and '-1' is left out. bad_body_length when it is no number or two of them
  /// differ, bad_param_name for a NUL or '=' in a name (FastCGI 6.1), bad_param_value for a NUL in
  /// a value.
  [[nodiscard]] Errc finish(RequestHead& head);

  /// How often `name` was added.
  [[nodiscard]] std::size_t occurrences(std::string_view name) const;
  /// The variables as they came, not merged.
  [[nodiscard]] const Pairs& received() const { return received_; }

  /// Makes it ready for another request; keeps memory up to a few KiB.
  void reset();
  /// Gives back the memory kept for another request. Only behind reset().
  void release() { give_back(received_); }
  /// Bytes of memory that it holds.
  [[nodiscard]] std::size_t memory() const {
    return received_.memory() + memory_of(table_) + memory_of(next_) + memory_of(last_);
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  static constexpr std::uint32_t kFiltered = 64;  // pairs that are told apart without a table

  // HTTP_PROXY would name the outgoing proxy to libraries that read the environment (httpoxy). A
  // transfer coding is removed by the front (RFC 3875 section 4.2), so that the field would be
  // untrue.
  static bool dropped(std::string_view name) {
    return name == "HTTP_PROXY" || name == "HTTP_TRANSFER_ENCODING";
  }

  void note_dropped(std::string_view name) {
    if (name == "HTTP_TRANSFER_ENCODING") transfer_coded_ = true;
  }

  // A number that few names of one request have in common: it is made for every variable.
  static std::uint32_t fingerprint(std::string_view name) {
    constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15;
    const char* const data = name.data();
    const std::size_t size = name.size();
    std::uint64_t word = 0;
    if (size >= 8) {
      std::memcpy(&word, data + size - 8, 8);
    } else if (size >= 4) {
      std::memcpy(&word, data, 4);
      word = word << 32 ^ static_cast<unsigned char>(data[size - 1]);
    } else {
      for (const char c : name) word = word << 8 ^ static_cast<unsigned char>(c);
    }
    return static_cast<std::uint32_t>((word ^ size << 56) * kMix >> 54);
  }

  // Looks whether the last variable repeats another.
  void note(std::string_view name) {
    const auto number = static_cast<std::uint32_t>(received_.size() - 1);
    if (number >= kFiltered) return index_last(number);
    const std::uint32_t print = fingerprint(name);
    std::uint64_t& word = seen_[print >> 6];
    const std::uint64_t bit = std::uint64_t{1} << (print & 63);
    // Most names have a bit of their own, and then there is nothing to compare with.
    if ((word & bit) != 0) compare(number);
    word |= bit;
  }

  [[nodiscard]] Errc refusal(std::uint64_t name_size, std::uint64_t value_size) const;
  void reserve(std::size_t bytes);
  void compare(std::uint32_t number);
  void index_last(std::uint32_t number);
  void index(std::uint32_t number);
  void link(std::uint32_t first, std::uint32_t number);
  void grow();
  void merge(std::uint32_t first, Pairs& into, std::string& scratch) const;

  const Limits& limits_;
  Pairs received_;
  std::uint64_t bytes_ = 0;
  std::uint32_t count_ = 0;
  bool repeated_ = false;
  bool transfer_coded_ = false;           // HTTP_TRANSFER_ENCODING was dropped
  std::array<std::uint64_t, 16> seen_{};  // a bit for the fingerprint of each of the first names
  std::vector<std::uint32_t>
      table_;  // of more: open addressing: number of a name's first pair, plus 1
  std::vector<std::uint32_t> next_;  // per pair: the next one of the same name
  std::vector<std::uint32_t> last_;  // per first pair: the last one of the same name
};

}  // namespace viaduct::protocol
