#pragma once

#include <cstdint>
#include <string_view>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// What a Range field (RFC 9110 section 14.2) asks of a representation of a known size.
struct ByteRange {
  enum class Kind : std::uint8_t {
    whole,  ///< the field is to be ignored: malformed, another unit, several ranges, or of nothing
    part,   ///< `length` bytes from `first`
    unsatisfiable,  ///< nothing of it exists: 416
  };
  Kind kind = Kind::whole;
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};

[[nodiscard]] ByteRange parse_range(std::string_view field, std::uint64_t size);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
