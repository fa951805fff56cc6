#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace viaduct::bench {

/// One complete FastCGI responder request for GET `uri`, laid out as nginx does: FCGI_BEGIN_REQUEST
/// with FCGI_KEEP_CONN, one FCGI_PARAMS record padded to 8 bytes with the 25 variables of nginx's
/// fastcgi_params and of a browser's header, the empty FCGI_PARAMS, the empty FCGI_STDIN.
///
/// `id` is the request id, 1 to 65535. `uri` begins with a slash and may carry a query.
/// Throws std::length_error when the variables do not fit into one record.
std::string get_request(std::uint16_t id, std::string_view uri);

}  // namespace viaduct::bench
