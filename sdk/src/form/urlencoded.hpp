#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// What a urlencoded body may make us store.
struct UrlencodedLimits {
  std::size_t pairs = 1000;
  std::size_t text = 64 * 1024;  ///< decoded bytes of one name, and of one value
};

/// Which of them was exceeded.
enum class UrlencodedError : std::uint8_t { ok, too_many_pairs, text_too_long };

/// Reads application/x-www-form-urlencoded (URL standard section 5.1), cut into pieces at any byte.
/// Performs no I/O. No text is malformed: see Values. Once feed() or finish() has returned false a
/// limit was exceeded, which error() names, and the parser is of no more use.
class UrlencodedParser {
 public:
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  explicit UrlencodedParser(const UrlencodedLimits& limits) : limits_(limits) {}

  [[nodiscard]] bool feed(std::string_view bytes);
  /// The text has ended.
  [[nodiscard]] bool finish();
  [[nodiscard]] UrlencodedError error() const { return error_; }
  /// What was read, in order; may be moved from after finish().
  [[nodiscard]] Pairs& pairs() { return pairs_; }

 private:
  [[nodiscard]] bool store();
  [[nodiscard]] bool fail(UrlencodedError error) {
    error_ = error;
    return false;
  }

  const UrlencodedLimits limits_;
  UrlencodedError error_ = UrlencodedError::ok;
  std::string pair_;  // still encoded
  Pairs pairs_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
