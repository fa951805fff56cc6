#include "protocol/errc.hpp"

namespace viaduct::protocol {
namespace {

class ProtocolCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "viaduct.protocol"; }
  std::string message(int value) const override { return describe(static_cast<Errc>(value)); }
};

}  // namespace

bool fatal_to_connection(Errc error) {
  return error != Errc::ok && error <= Errc::head_incomplete;
}

const char* describe(Errc error) {
  switch (error) {
    case Errc::ok:
      return "no error";
    case Errc::bad_version:
      return "record version is not 1";
    case Errc::bad_request_id:
      return "request id does not fit the record type";
    case Errc::bad_record:
      return "record body is malformed";
    case Errc::request_id_in_use:
      return "request id is already active";
    case Errc::unexpected_record:
      return "record type is out of place";
    case Errc::bad_credit:
      return "credit is zero or beyond the window";
    case Errc::window_exceeded:
      return "more content than the window allowed";
    case Errc::bad_netstring:
      return "header block is not a netstring";
    case Errc::bad_header_block:
      return "header block is malformed";
    case Errc::bad_content_length:
      return "CONTENT_LENGTH is missing, malformed or repeated";
    case Errc::not_scgi:
      return "SCGI is missing, repeated or not 1";
    case Errc::unknown_modifier:
      return "uwsgi packet is not a request";
    case Errc::head_incomplete:
      return "connection ended within a request head";
    case Errc::bad_params:
      return "name-value pair runs past the end of its stream";
    case Errc::bad_param_name:
      return "variable name is empty or has NUL or '=' in it";
    case Errc::bad_param_value:
      return "variable value has NUL in it";
    case Errc::params_too_large:
      return "variables are too large in sum";
    case Errc::param_name_too_long:
      return "variable name is too long";
    case Errc::param_value_too_long:
      return "variable value is too long";
    case Errc::too_many_params:
      return "too many variables";
    case Errc::too_many_requests:
      return "too many active requests on one connection";
    case Errc::unknown_role:
      return "unknown role";
    case Errc::bad_body_length:
      return "CONTENT_LENGTH is not a number";
    case Errc::body_truncated:
      return "body ended before CONTENT_LENGTH bytes";
    case Errc::bad_request_line:
      return "request line is malformed";
    case Errc::bad_field_line:
      return "header field line is malformed or folded";
    case Errc::bare_line_end:
      return "CR, LF or NUL stands alone in a request head";
    case Errc::bad_proxy_header:
      return "malformed PROXY protocol header";
    case Errc::bad_host:
      return "Host is missing, repeated or malformed";
    case Errc::ambiguous_length:
      return "length of the request body is ambiguous";
    case Errc::unknown_coding:
      return "transfer coding is not chunked";
    case Errc::unknown_version:
      return "HTTP version is not 1.0 or 1.1";
    case Errc::unknown_expectation:
      return "expectation is not 100-continue";
    case Errc::bad_chunk:
      return "chunked coding is malformed";
    case Errc::head_too_large:
      return "response head is too large";
    case Errc::bad_head_line:
      return "response head line is malformed";
    case Errc::bad_head_value:
      return "response field value has CR, LF or NUL in it";
    case Errc::bad_status:
      return "response status is malformed";
    case Errc::duplicate_cgi_field:
      return "Status, Location or Content-Type is repeated";
    case Errc::conflicting_lengths:
      return "Content-Length is malformed or contradictory";
    case Errc::forbidden_field:
      return "response field is forbidden";
    case Errc::too_many_interim:
      return "too many interim responses";
    case Errc::unwanted_upgrade:
      return "101 without an upgrade that the listener allows";
  }
  return "unknown error";
}

const std::error_category& protocol_category() {
  static const ProtocolCategory category;
  return category;
}

}  // namespace viaduct::protocol
