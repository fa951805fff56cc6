#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sdk/src/runtime/listener.hpp"
#include "sdk/src/runtime/sockets.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Where to listen, as the command line says; at most one is not empty.
struct Addresses {
  std::string fastcgi = {};
  std::string scgi = {};
  std::string uwsgi = {};
  std::string http = {};

  [[nodiscard]] bool empty() const {
    return fastcgi.empty() && scgi.empty() && uwsgi.empty() && http.empty();
  }
};

/// Where requests come from.
struct Transport {
  Listener::Protocol protocol = Listener::Protocol::fastcgi;
  std::vector<ListeningSocket> sockets = {};
  std::vector<std::string> peers = {};  ///< that may connect, see Listener
  bool cgi = false;  ///< one request, on descriptors 0 and 1: there are no sockets
};

/// The address given; else a listening socket on descriptor 0, as viaductd, spawn-fcgi, mod_fcgid
/// and lighttpd pass it; else LISTEN_FDS; else, in the environment of a CGI program, its request;
/// else, on a terminal, development HTTP on 127.0.0.1:8080. Absent when nobody said where requests
/// come from. Throws what listen_on() throws.
[[nodiscard]] std::optional<Transport> find_transport(const Addresses& addresses);

/// Where a browser finds it, when it speaks HTTP on a TCP socket; else empty.
[[nodiscard]] std::string url_of(const Transport& transport);

/// Removes the files of its sockets.
void remove_files(const Transport& transport);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
