#include "sdk/src/runtime/codecs.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <ctime>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/http/codec.hpp"
#include "protocol/scgi/codec.hpp"
#include "protocol/uwsgi/codec.hpp"
#include "sdk/src/files/http_date.hpp"
#include "sdk/src/request_limits.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

protocol::Limits limits_behind_a_front(const CodecOptions& options) {
  protocol::Limits limits = request_limits();
  limits.requests = options.requests;
  return limits;
}

ConnectionCodec make_fastcgi(const CodecOptions& options) {
  protocol::fastcgi::ServerOptions server;
  server.limits = limits_behind_a_front(options);
  server.max_conns = options.connections;
  server.max_reqs = options.handlers;
  server.multiplex = true;
  server.window = options.window;
  server.prefetch = options.prefetch;
  server.model = options.model;
  server.hold_values = options.hold_values;
  auto codec = std::make_unique<protocol::fastcgi::ServerCodec>(server);
  protocol::fastcgi::ServerCodec* const same = codec.get();
  return {std::move(codec), same};
}

using GetName = int (*)(int, sockaddr*, socklen_t*);

// One end's address and port; nothing for a Unix socket.
void name_end(int fd, GetName get_name, std::string& address, std::string& port) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  auto* const generic = reinterpret_cast<sockaddr*>(&name);
  if (get_name(fd, generic, &size) != 0) return;
  if (name.ss_family != AF_INET && name.ss_family != AF_INET6) return;
  char host[NI_MAXHOST];
  char service[NI_MAXSERV];
  if (::getnameinfo(generic, size, host, sizeof host, service, sizeof service,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return;
  }
  address = host;
  port = service;
}

// No front server has limited anything.
ConnectionCodec make_http(int fd) {
  protocol::http::ServerOptions server;
  protocol::http::ConnectionInfo& connection = server.connection;
  connection.software = "viaduct/" VIADUCT_VERSION;
  name_end(fd, ::getpeername, connection.remote_addr, connection.remote_port);
  name_end(fd, ::getsockname, connection.server_addr, connection.server_port);
  server.date = [text = std::string()]() mutable -> std::string_view {
    text = format_http_date(std::time(nullptr));
    return text;
  };
  return {std::make_unique<protocol::http::ServerCodec>(std::move(server))};
}

}  // namespace

ConnectionCodec make_codec(Listener::Protocol protocol, int fd, const CodecOptions& options) {
  switch (protocol) {
    case Listener::Protocol::scgi:
      return {std::make_unique<protocol::scgi::ServerCodec>(limits_behind_a_front(options))};
    case Listener::Protocol::uwsgi:
      return {std::make_unique<protocol::uwsgi::ServerCodec>(limits_behind_a_front(options))};
    case Listener::Protocol::http:
      return make_http(fd);
    case Listener::Protocol::fastcgi:
      break;
  }
  return make_fastcgi(options);
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
