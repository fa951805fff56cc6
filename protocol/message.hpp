#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/pairs.hpp"

namespace viaduct::protocol {

/// Identifies a request on its connection. Protocols without ids use 1.
using RequestId = std::uint16_t;

/// FastCGI section 6. Other protocols know only the responder.
enum class Role : std::uint16_t { responder = 1, authorizer = 2, filter = 3 };

/// A request, its body excepted.
struct RequestHead {
  Role role = Role::responder;
  /// CGI variables (RFC 3875 section 4.1) in the order received, repetitions merged: the values of
  /// HTTP_COOKIE joined with "; ", those of other HTTP_ variables with ", " (4.1.18); of any other
  /// variable the last value counts. HTTP_PROXY and HTTP_TRANSFER_ENCODING are left out.
  Pairs params;
  /// CONTENT_LENGTH, when it is a number; absent when the client did not say ('', '-1').
  std::optional<std::uint64_t> content_length;
  /// The client announced a body by Transfer-Encoding: HTTP_TRANSFER_ENCODING was among the
  /// variables. A front server that has buffered the body says its length all the same.
  bool transfer_coded = false;
  /// Header fields that became no variables because of their names; HTTP only.
  std::uint32_t odd_fields = 0;
};

/// A response, its body excepted.
struct ResponseHead {
  int status = 200;
  std::string reason;  ///< may be empty
  /// Header fields in order, Status excepted. Location and Content-Type are ordinary members.
  Pairs fields;
  /// Content-Length, when the fields have one.
  std::optional<std::uint64_t> content_length;
};

/// Whether a response of this status has no body whatever was asked (RFC 9110 section 6.4.1).
[[nodiscard]] constexpr bool bodiless(int status) {
  return status < 200 || status == 204 || status == 304;
}

/// Whether nothing that was written for a response of this status is sent: the bodiless ones, and
/// 205 (section 15.3.6), which on the wire has a body of no bytes.
[[nodiscard]] constexpr bool contentless(int status) {
  return bodiless(status) || status == 205;
}

/// The standard reason phrase (RFC 9110 section 15), or "Unknown".
[[nodiscard]] const char* reason_phrase(int status);

}  // namespace viaduct::protocol
