#include "sdk/src/runtime/sockets.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "sdk/src/descriptor.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr int kFirstInherited = 3;

[[noreturn]] void fail(const std::string& address, int error) {
  throw std::system_error(error, std::generic_category(), address);
}

int make_socket(const std::string& address, int family) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) fail(address, errno);
  return fd;
}

// Whether somebody accepts connections there; a socket file outlives the process that made it.
bool alive(const std::string& address, const sockaddr* name, socklen_t size) {
  const Descriptor probe(make_socket(address, AF_UNIX));
  return ::connect(probe.get(), name, size) == 0 || errno != ECONNREFUSED;
}

ListeningSocket listen_unix(const std::string& address, const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const bool abstract = path.starts_with('@');
  if (path.size() <= (abstract ? 1U : 0U)) throw std::invalid_argument(address + ": no path");
  if (path.size() >= sizeof name.sun_path) fail(address, ENAMETOOLONG);
  std::memcpy(name.sun_path, path.data(), path.size());
  if (abstract) name.sun_path[0] = '\0';
  const auto size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
  const auto* generic = reinterpret_cast<const sockaddr*>(&name);
  Descriptor socket(make_socket(address, AF_UNIX));
  if (::bind(socket.get(), generic, size) != 0) {
    if (errno != EADDRINUSE || abstract || alive(address, generic, size)) fail(address, errno);
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    if (::bind(socket.get(), generic, size) != 0) fail(address, errno);
  }
  if (::listen(socket.get(), kBacklog) != 0) fail(address, errno);
  return {socket.release(), abstract ? std::filesystem::path() : std::filesystem::path(path)};
}

ListeningSocket listen_tcp(const std::string& address, std::string_view rest) {
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == rest.size()) {
    throw std::invalid_argument(address + ": expected tcp:HOST:PORT");
  }
  std::string host(rest.substr(0, colon));
  const std::string port(rest.substr(colon + 1));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  unsigned number = 0;
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size() || number > 65535) {
    throw std::invalid_argument(address + ": the port is a number from 0 to 65535");
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const bool any = host.empty() || host == "*";
  const int error = ::getaddrinfo(any ? nullptr : host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) throw std::runtime_error(address + ": " + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, ::freeaddrinfo);
  Descriptor socket(make_socket(address, found->ai_family));
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0) fail(address, errno);
  if (::listen(socket.get(), kBacklog) != 0) fail(address, errno);
  return {socket.release()};
}

}  // namespace

ListeningSocket listen_on(const std::string& address) {
  if (address.starts_with("unix:")) return listen_unix(address, address.substr(5));
  if (address.starts_with("tcp:")) return listen_tcp(address, std::string_view(address).substr(4));
  throw std::invalid_argument("\"" + address +
                              "\": expected unix:/path, unix:@name or tcp:HOST:PORT");
}

bool is_listening(int fd) {
  int listening = 0;
  socklen_t size = sizeof listening;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

std::vector<int> inherited_sockets() {
  const char* const pid = std::getenv("LISTEN_PID");
  const char* const count = std::getenv("LISTEN_FDS");
  std::vector<int> sockets;
  if (pid == nullptr || count == nullptr || std::to_string(::getpid()) != pid) return sockets;
  int number = 0;
  std::from_chars(count, count + std::strlen(count), number);
  for (int fd = kFirstInherited; fd - kFirstInherited < number && is_listening(fd); ++fd) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    sockets.push_back(fd);
  }
  return sockets;
}

std::vector<std::string> web_server_addresses() {
  std::vector<std::string> addresses;
  const char* const list = std::getenv("FCGI_WEB_SERVER_ADDRS");
  std::string_view rest = list == nullptr ? std::string_view() : std::string_view(list);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    addresses.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  return addresses;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
