#pragma once

#include <cstdint>
#include <string>
#include <system_error>

namespace viaduct::protocol {

/// What was wrong with bytes that a peer sent. Each value says what dies: the *connection*, because
/// its framing can no longer be trusted, or only the *request*.
enum class Errc : std::uint8_t {
  ok = 0,

  // The connection dies.
  bad_version,         ///< FastCGI: a record whose version is not 1 (FastCGI 3.3).
  bad_request_id,      ///< FastCGI: id 0 with an application record, or the reverse (3.3).
  bad_record,          ///< FastCGI: a BEGIN, END, UNKNOWN_TYPE or CREDIT body of the wrong size.
  request_id_in_use,   ///< FastCGI: BEGIN_REQUEST for an id that is active (3.3).
  unexpected_record,   ///< FastCGI: a record that this side never receives, or out of order (6.1).
  bad_credit,          ///< CREDIT of zero, or beyond the window.
  window_exceeded,     ///< More content than the window allowed.
  bad_netstring,       ///< SCGI: the header block is not a netstring.
  bad_header_block,    ///< SCGI: a name without value or terminating NUL. uwsgi: a length that runs
                       ///< past the block.
  bad_content_length,  ///< SCGI: CONTENT_LENGTH is not first, not digits, or stands twice.
  not_scgi,            ///< SCGI: the variable SCGI is missing, is not 1, or stands twice.
  unknown_modifier,    ///< uwsgi: modifier1 is not 0, a request with variables.
  head_incomplete,     ///< The connection ended within a request head.

  // The request dies, the connection lives on where the protocol allows it.
  bad_params,            ///< A name-value pair runs past the end of its stream (FastCGI 3.4).
  bad_param_name,        ///< An empty name, or a name with NUL or '=' in it (FastCGI 6.1).
  bad_param_value,       ///< A value with NUL in it (FastCGI 6.1).
  params_too_large,      ///< Names and values add up to more than Limits::params.
  param_name_too_long,   ///< A name is longer than Limits::name.
  param_value_too_long,  ///< A value is longer than Limits::value.
  too_many_params,       ///< More variables than Limits::count.
  too_many_requests,     ///< More active requests on one connection than Limits::requests.
  unknown_role,          ///< FastCGI: a role that is none of responder, authorizer, filter.
  bad_body_length,       ///< FastCGI: CONTENT_LENGTH is no number, or two of them differ.
  body_truncated,        ///< The body ended before CONTENT_LENGTH bytes.
  bad_request_line,      ///< HTTP: not `method target HTTP/1.x`, or a target that is malformed.
  bad_field_line,        ///< HTTP: a field line that is malformed or continues another (obs-fold).
  bare_line_end,         ///< HTTP: CR or LF without the other, or NUL, in a head.
  bad_proxy_header,      ///< a PROXY protocol header that is malformed or too large.
  bad_host,              ///< HTTP: Host is missing in HTTP/1.1, stands twice or is malformed.
  ambiguous_length,      ///< HTTP: Content-Length or Transfer-Encoding twice, both, or malformed.
  unknown_coding,        ///< HTTP: a transfer coding other than chunked.
  unknown_version,       ///< HTTP: neither 1.0 nor 1.1.
  unknown_expectation,   ///< HTTP: Expect is not 100-continue.
  bad_chunk,             ///< HTTP: the chunked coding of the body is malformed.

  // Response heads (RFC 3875 section 6): the response dies.
  head_too_large,       ///< The head is longer than the limit.
  bad_head_line,        ///< No colon, white space before it, an empty or non-token name.
  bad_head_value,       ///< CR, LF or NUL inside a value.
  bad_status,           ///< Status is not three digits from 100 to 999, optionally with a reason.
  duplicate_cgi_field,  ///< Status, Location or Content-Type stands twice (RFC 3875 6.3).
  conflicting_lengths,  ///< Several Content-Length values that differ, or one that is no number.
  forbidden_field,      ///< Transfer-Encoding or another hop-by-hop framing field (6.3.4).
  too_many_interim,     ///< More interim responses than CgiHeadReader::kInterim.
  unwanted_upgrade,     ///< 101 to a request that asked for none, or where none may pass.
};

/// Whether the error ends the connection (see Errc).
[[nodiscard]] bool fatal_to_connection(Errc error);

/// One short English phrase, for log lines.
[[nodiscard]] const char* describe(Errc error);

const std::error_category& protocol_category();
inline std::error_code make_error_code(Errc error) {
  return {static_cast<int>(error), protocol_category()};
}

}  // namespace viaduct::protocol

template <>
struct std::is_error_code_enum<viaduct::protocol::Errc> : std::true_type {};
