#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <viaduct/export.hpp>

#include "protocol/message.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Where the ids of requests come from: the first of some variables that holds a usable one, a
/// token (RFC 9110 section 5.6.2) of at most 128 bytes, else a number that no other request has.
class RequestIds {
 public:
  /// REQUEST_ID (nginx's $request_id by custom), UNIQUE_ID (Apache's mod_unique_id), X-Request-Id.
  static VIADUCT_API const RequestIds& usual();

  /// Names separated by commas, the preferred one first: CGI variables ("REQUEST_ID") and, with
  /// lower-case letters or '-' in it, header fields ("X-Request-Id"); "none": all ids are made.
  /// Throws std::invalid_argument, naming what is neither.
  explicit RequestIds(std::string_view names);

  [[nodiscard]] std::string id_of(const protocol::Pairs& params) const;
  [[nodiscard]] const std::vector<std::string>& variables() const { return variables_; }

 private:
  std::vector<std::string> variables_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
