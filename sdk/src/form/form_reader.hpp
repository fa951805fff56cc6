#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <viaduct/form.hpp>

#include "sdk/src/channel.hpp"
#include "sdk/src/form/spool_file.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// A form and the temporary files that belong to it.
struct SpooledForm {
  Form form;
  std::vector<std::unique_ptr<SpoolFile>> files;
};

/// Reads the whole of `body`. Throws http_error: 415 when `content_type` is that of no form, 400
/// when it or the body is malformed, 413 beyond the limits; client_gone; and what SpoolFile throws.
/// Whatever it throws, no file stays.
[[nodiscard]] std::unique_ptr<SpooledForm> read_form(BodySource& body,
                                                     std::string_view content_type,
                                                     const FormLimits& limits);

/// The boundary of a multipart/form-data body. Throws http_error as read_form().
[[nodiscard]] std::string multipart_boundary(std::string_view content_type);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
