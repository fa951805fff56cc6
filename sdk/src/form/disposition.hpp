#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <viaduct/fields.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// What the header of a part of multipart/form-data says (RFC 7578 section 4).
struct Disposition {
  std::string name;
  std::string filename;            ///< cleaned, see clean_filename(); empty when nothing was left
  std::string type;                ///< Content-Type; text/plain when there is none (4.4)
  bool is_file = false;            ///< a file name was given, if only an empty one
  bool filename_was_empty = true;  ///< as a file input sends that was left empty
};

/// Absent when the part is none of a form: no or two Content-Disposition, another one than
/// form-data, no name, an unreadable file name, or a Content-Transfer-Encoding that changes the
/// content (4.7 deprecates them all). filename* (RFC 8187) goes before filename when it can be
/// read.
[[nodiscard]] std::optional<Disposition> read_disposition(const Fields& headers);

/// The part of a client's file name behind the last '/' or '\' without control characters; nothing
/// when that is "." or "..".
[[nodiscard]] std::string clean_filename(std::string_view name);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
