#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <viaduct/export.hpp>
#include <viaduct/fields.hpp>

namespace viaduct {
inline namespace v1 {

/// Thrown by a handler, it becomes the answer: that status, `public_text` as text/plain body, and
/// the headers given (WWW-Authenticate, Retry-After, ...). Unlike what() of other exceptions, the
/// text is meant for the client. Once the response has started it can only break it off.
struct VIADUCT_API http_error : std::runtime_error {
  /// `public_text` is what() and the body of the answer, to which a line end is added.
  http_error(int status_code, const std::string& public_text, Fields header_fields = {})
      : std::runtime_error(public_text), status(status_code), headers(std::move(header_fields)) {}

  int status;      ///< from 400 to 599; others are answered as 500
  Fields headers;  ///< of the answer; Content-Type among them replaces text/plain
};

/// Thrown by whatever waits in a handler (reading a body, writing a response, Channel, Pool,
/// await()) once nobody waits for the answer: the client left, the deadline passed, or the time to
/// drain is spent. A handler lets it pass; it is not logged as an error. In a background task it
/// says that the task is to end.
struct VIADUCT_API client_gone : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace v1
}  // namespace viaduct
