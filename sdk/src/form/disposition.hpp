#pragma once

#include <cstdint>
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
  bool named = false;              ///< else it is no field of the form: browsers send none such
  bool is_file = false;            ///< a file name was given, if only an empty one
  bool filename_was_empty = true;  ///< as a file input sends that was left empty
};

/// Why a part cannot be one of a form.
enum class PartFault : std::uint8_t {
  none,
  no_disposition,       ///< no Content-Disposition
  two_dispositions,     ///< more than one
  bad_disposition,      ///< one that is malformed
  not_form_data,        ///< another one than form-data
  unreadable_filename,  ///< filename* alone, malformed or of an unknown charset
  transfer_encoding,    ///< Content-Transfer-Encoding that changes the content (4.7 deprecates all)
};

/// In words, for the client.
[[nodiscard]] const char* describe(PartFault fault);

/// Absent when the part is none of a form; then `fault`, unless null, says why. filename* (RFC
/// 8187) goes before filename when it can be read.
[[nodiscard]] std::optional<Disposition> read_disposition(const Fields& headers,
                                                          PartFault* fault = nullptr);

/// The part of a client's file name behind the last '/' or '\' without control characters; nothing
/// when that is "." or "..".
[[nodiscard]] std::string clean_filename(std::string_view name);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
