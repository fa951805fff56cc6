#include "daemon/master/socket_address.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <system_error>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::master {

namespace {

int errno_of_resolver(int error) {
  switch (error) {
    case EAI_AGAIN:
      return EAGAIN;
    case EAI_MEMORY:
      return ENOMEM;
    case EAI_SYSTEM:
      return errno;
    default:
      return 0;
  }
}

}  // namespace

SocketAddress unix_address(const std::string& path, bool abstract) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // An abstract name begins with a NUL and has no end mark; a path has one.
  const std::size_t lead = abstract ? 1 : 0;
  const std::size_t length = lead + path.size() + (abstract ? 0 : 1);
  if (length > sizeof(address.sun_path)) {
    throw std::system_error(ENAMETOOLONG, std::generic_category(), path);
  }
  std::memcpy(address.sun_path + lead, path.data(), path.size());
  SocketAddress result;
  std::memcpy(&result.storage, &address, sizeof(address));
  result.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  return result;
}

std::vector<SocketAddress> tcp_addresses(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) throw UnknownHost(::gai_strerror(error), errno_of_resolver(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  std::vector<SocketAddress> result;
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    SocketAddress& address = result.emplace_back();
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.length = entry->ai_addrlen;
  }
  return result;
}

Probe probe_listener(const SocketAddress& address) {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return {false, errno, 0};
  if (::connect(socket.get(), address.get(), address.length) != 0) {
    // A full backlog or a socket of another type: somebody is there.
    return {errno == EAGAIN || errno == EPROTOTYPE, errno, 0};
  }
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {true, 0, 0};
  return {true, 0, peer.pid};
}

std::string process_name(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

}  // namespace viaduct::daemon::master
