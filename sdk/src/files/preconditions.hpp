#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include <viaduct/fields.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// What tells one version of a representation from another. Times are whole seconds.
struct Validators {
  std::string etag;  ///< an entity tag, quotes included; empty: there is none
  std::time_t modified = 0;
};

enum class Precondition : std::uint8_t {
  met,
  not_modified,  ///< 304: the client has it
  failed,        ///< 412
};

/// Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since of a GET or HEAD
/// request in the order of RFC 9110 section 13.2.2. Dates that cannot be parsed count as absent.
[[nodiscard]] Precondition evaluate(const Fields& request, const Validators& current);

/// Whether Range is to be honoured as far as If-Range is concerned (RFC 9110 section 13.1.5).
[[nodiscard]] bool range_applies(const Fields& request, const Validators& current);

/// Whether a list of entity tags, or "*", names `etag`. The weak comparison ignores W/ on both
/// sides, the strong one fails where either is weak (RFC 9110 section 8.8.3.2).
[[nodiscard]] bool names_etag(std::string_view list, std::string_view etag, bool weak);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
