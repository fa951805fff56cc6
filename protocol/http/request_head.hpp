#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/errc.hpp"
#include "protocol/http/odd_names.hpp"
#include "protocol/variables.hpp"

namespace viaduct::protocol::http {

/// A request head as it stands on the wire (RFC 9112). Views of the text parsed.
struct WireHead {
  struct Field {
    std::string_view name;
    std::string_view value;
  };
  std::string_view method;
  std::string_view target;
  bool http11 = false;  ///< else HTTP/1.0
  std::vector<Field> fields;
  /// What was parsed in place of a text of HTTP/1.2 and the like.
  std::string as_http11 = {};

  bool keep_alive = false;       ///< the client would use the connection again
  bool chunked = false;          ///< the body is
  std::uint64_t length = 0;      ///< of the body, when it is not chunked
  bool expect_continue = false;  ///< the client waits for 100 before it sends the body
};

/// Parses a head that HeadReader let through, by Boost.Beast, and decides where its body ends.
/// Later versions of HTTP/1 are read as HTTP/1.1 (RFC 9110 section 2.5); then `head` must stay
/// where it is. Whatever could be read in two ways is an error: Content-Length beside
/// Transfer-Encoding or twice, Transfer-Encoding twice or in HTTP/1.0 (`ambiguous_length`); a
/// coding other than chunked
/// (`unknown_coding`); Host missing in HTTP/1.1, twice or malformed (`bad_host`).
[[nodiscard]] Errc parse_head(std::string_view text, WireHead& head);

/// Whether a request whose variables were added asks about the server as a whole: OPTIONS with `*`,
/// or with an absolute target that has neither path nor query, which is what a proxy was to turn
/// into `*` (RFC 9112 section 3.2.4).
[[nodiscard]] bool concerns_server(const WireHead& head);

/// What a connection adds to the variables of its requests. Empty: not said.
struct ConnectionInfo {
  std::string remote_addr = {};  ///< REMOTE_ADDR
  std::string remote_port = {};  ///< REMOTE_PORT
  std::string server_addr = {};  ///< SERVER_ADDR
  std::string server_port = {};  ///< SERVER_PORT; empty: what Host says, or the scheme's
  std::string scheme = "http";
  std::string software = "viaduct";  ///< SERVER_SOFTWARE
};

/// Adds the CGI variables (RFC 3875 section 4.1) of that request: what a front server would send
/// whose application is mounted at the root. Names of fields become HTTP_*, whose characters other
/// than letters and digits are `_`; `dropped`: how many were left out for their names, as `odd`
/// says. Host is that of an absolute target, if there is one (RFC 9112 3.2.2);
/// REQUEST_URI is then its path and query, as of any other.
/// bad_request_line for a target of no form that applications serve, or a malformed escape in it.
[[nodiscard]] Errc add_variables(const WireHead& head, const ConnectionInfo& connection,
                                 OddNames odd, Variables& to, std::uint32_t& dropped);

}  // namespace viaduct::protocol::http
