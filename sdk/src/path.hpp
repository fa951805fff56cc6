#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// The CGI variables that say which path was asked for. Empty: not sent.
struct PathVariables {
  std::string_view request_uri{};
  std::string_view script_name{};
  std::optional<std::string_view> path_info{};
  std::string_view document_uri{};
  std::string_view script_filename{};
  std::string_view server_software{};
  std::string_view program{};  ///< not a variable: the file that this process runs
};

/// Where the application is mounted and what is asked of it below.
struct RequestPath {
  std::string script_name;  ///< decoded; empty, or "/..." without a slash at the end
  std::string path;         ///< decoded, "/" at least
  std::string raw_path;     ///< percent-encoded
  std::string mounted;      ///< what routers mounted in the app took from raw_path, encoded anew
  std::size_t outside = 0;  ///< bytes of script_name that come from the front server
};

/// Derives the path from what front servers send. RFC 3875 wants SCRIPT_NAME (mount) and PATH_INFO
/// (below it), both decoded; in practice:
///
/// - PATH_INFO is there: as the RFC says.
/// - PATH_INFO is missing and SCRIPT_FILENAME is this program (Apache's mod_fcgid): it was asked
/// for
///   by its own name, which is the mount, and nothing below it.
/// - PATH_INFO is missing otherwise (nginx with its stock fastcgi_params, Apache's mod_proxy_fcgi
/// and
///   mod_proxy_scgi): SCRIPT_NAME holds the whole path.
/// - PATH_INFO is empty with Caddy and no `split`, or with a SCRIPT_FILENAME of "proxy:...": ditto.
/// - Neither is there (nginx's stock scgi_params): DOCUMENT_URI, else the path of REQUEST_URI.
///
/// The raw path is that of REQUEST_URI, which alone tells an encoded slash from a real one, when it
/// decodes to what the front server said. When it does not, because the front server normalised or
/// rewrote the path, the front server's word counts, since that is what it checked access for; it
/// is encoded again.
///
/// Returns false for a path with a malformed escape or an encoded NUL; `to` then holds the path as
/// it was sent.
[[nodiscard]] bool derive_path(const PathVariables& variables, RequestPath& to);

/// Moves the first `segments` segments of a path that derive_path() accepted into script_name.
void descend(RequestPath& path, std::size_t segments);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
