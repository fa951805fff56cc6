#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace viaduct::protocol {

class Pairs;

/// A request target in absolute-form (RFC 9112 section 3.2.2).
struct AbsoluteTarget {
  std::string_view authority;  ///< host and port
  std::string_view tail;       ///< what follows: path and query, perhaps without a path

  /// The same target in origin-form.
  [[nodiscard]] std::string origin_form() const;
};

/// Views of `target`. Splits `target`; nothing when it has another form, a scheme other than http
/// and https, or an authority that is none.
[[nodiscard]] std::optional<AbsoluteTarget> split_absolute(std::string_view target);

/// Front servers that pass REQUEST_URI on as the client sent it do so with absolute targets, too.
/// It becomes path and query, as of any other target, and HTTP_HOST the authority, which counts
/// whatever the field Host says.
void take_absolute_target(Pairs& params);

}  // namespace viaduct::protocol
