#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// A socket to accept connections from.
class Listener {
 public:
  enum class Protocol : std::uint8_t { fastcgi, scgi, uwsgi, http };

  /// Takes ownership of `fd`, a listening socket. `peers`: IPv4 addresses that may connect, others
  /// and Unix sockets are turned away (FCGI_WEB_SERVER_ADDRS, FastCGI section 3.2); empty: anybody.
  Listener(boost::asio::io_context& io, int fd, Protocol protocol,
           std::vector<std::string> peers = {});

  /// A new connection, non-blocking, of a peer that may connect; -1 with errno if there is none.
  /// ECONNABORTED: one was turned away, and there may be more.
  [[nodiscard]] int accept();

  boost::asio::posix::stream_descriptor descriptor;
  const Protocol protocol;

 private:
  std::vector<std::string> peers_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
