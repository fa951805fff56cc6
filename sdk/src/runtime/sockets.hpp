#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <viaduct/export.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Connections that may wait to be accepted at a socket of listen_on().
constexpr int kBacklog = 4096;

/// A listening socket, and the file to remove when it is closed for good.
struct ListeningSocket {
  int fd = -1;
  std::filesystem::path file = {};
};

/// Listens on `unix:/path`, `unix:@abstract` or `tcp:HOST:PORT` (HOST may be `*` or [IPv6]). A
/// socket file that nobody listens on any more is replaced. Throws std::invalid_argument for a
/// malformed address and std::system_error otherwise, both naming the address.
[[nodiscard]] VIADUCT_API ListeningSocket listen_on(const std::string& address);

/// Whether `fd` is a socket that listens.
[[nodiscard]] bool is_listening(int fd);

/// The descriptors passed as sd_listen_fds(3) describes; none when they are not meant for us.
[[nodiscard]] std::vector<int> inherited_sockets();

/// FCGI_WEB_SERVER_ADDRS (FastCGI section 3.2), when set.
[[nodiscard]] std::vector<std::string> web_server_addresses();

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
