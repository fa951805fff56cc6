#include "daemon/master/stored_listener.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "daemon/master/socket_address.hpp"

namespace viaduct::daemon::master {

namespace {

using config::Address;

constexpr std::string_view kPrefix = "viaduct-listener=";
constexpr std::size_t kMaxName = 255;

std::string encode(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c > ' ' && c < 0x7F && c != ':' && c != '%') {
      result += c;
      continue;
    }
    char hex[4];
    std::snprintf(hex, sizeof(hex), "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    result += hex;
  }
  return result;
}

// FNV-1a: the same in every version of this program.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325;
  for (const char c : text) {
    value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return value;
}

std::optional<SocketAddress> bound_address(int descriptor) {
  SocketAddress bound;
  bound.length = sizeof(bound.storage);
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound.storage), &bound.length) != 0) {
    return std::nullopt;
  }
  return bound;
}

bool is_listening(int descriptor) {
  int type = 0;
  int listening = 0;
  socklen_t size = sizeof(type);
  if (::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return false;
  size = sizeof(listening);
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0) return false;
  return type == SOCK_STREAM && listening != 0;
}

bool same_unix(const SocketAddress& bound, const SocketAddress& wanted) {
  // The kernel leaves out what follows the NUL of a path, or has the NUL left out.
  const auto& left = reinterpret_cast<const sockaddr_un&>(bound.storage);
  const auto& right = reinterpret_cast<const sockaddr_un&>(wanted.storage);
  if (right.sun_path[0] != '\0') {
    return std::strncmp(left.sun_path, right.sun_path, sizeof(left.sun_path)) == 0;
  }
  return bound.length == wanted.length &&
         std::memcmp(left.sun_path, right.sun_path,
                     bound.length - offsetof(sockaddr_un, sun_path)) == 0;
}

bool same_tcp(const SocketAddress& bound, const SocketAddress& wanted) {
  if (bound.family() == AF_INET) {
    const auto& left = reinterpret_cast<const sockaddr_in&>(bound.storage);
    const auto& right = reinterpret_cast<const sockaddr_in&>(wanted.storage);
    return left.sin_port == right.sin_port && left.sin_addr.s_addr == right.sin_addr.s_addr;
  }
  const auto& left = reinterpret_cast<const sockaddr_in6&>(bound.storage);
  const auto& right = reinterpret_cast<const sockaddr_in6&>(wanted.storage);
  return left.sin6_port == right.sin6_port && left.sin6_scope_id == right.sin6_scope_id &&
         std::memcmp(&left.sin6_addr, &right.sin6_addr, sizeof(left.sin6_addr)) == 0;
}

// The file may have been removed, or be another daemon's by now. Who called listen() on a socket is
// known to those who connect and to the socket itself.
bool has_file(int descriptor, const Address& address) {
  struct stat status {};
  if (::lstat(address.name.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  ucred owner{};
  socklen_t size = sizeof(owner);
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &owner, &size) != 0) return false;
  const Probe probe = probe_listener(unix_address(address.name));
  // With a full queue nobody says who listens; it will be the one whom connections wait for.
  const bool full = probe.alive && probe.error == EAGAIN;
  return full || (probe.alive && probe.pid == owner.pid);
}

bool is_bound_to_host(const SocketAddress& bound, const Address& address) {
  try {
    const auto targets = tcp_addresses(address.name, address.port);
    return std::any_of(targets.begin(), targets.end(), [&](const SocketAddress& target) {
      return bound.family() == target.family() && same_tcp(bound, target);
    });
  } catch (const std::runtime_error&) {
    return false;  // opening the listener will say why
  }
}

}  // namespace

std::string store_name(const Address& address) {
  const std::string text = config::format(address);
  std::string name = std::string(kPrefix) + encode(text);
  if (name.size() <= kMaxName) return name;
  char digest[18];
  std::snprintf(digest, sizeof(digest), "~%016llx", static_cast<unsigned long long>(hash(text)));
  name.resize(kMaxName - std::strlen(digest));
  return name + digest;
}

bool is_store_name(std::string_view name) {
  return name.starts_with(kPrefix);
}

bool is_listening_at(int descriptor, const Address& address) {
  const bool abstract = address.kind == Address::Kind::unix_abstract;
  if (!abstract && address.kind != Address::Kind::unix_path) return false;
  const auto bound = bound_address(descriptor);
  return bound && bound->family() == AF_UNIX && is_listening(descriptor) &&
         same_unix(*bound, unix_address(address.name, abstract));
}

bool is_reached_at(int descriptor, const Address& address) {
  switch (address.kind) {
    case Address::Kind::unix_path:
      return is_listening_at(descriptor, address) && has_file(descriptor, address);
    case Address::Kind::unix_abstract:
      return is_listening_at(descriptor, address);
    case Address::Kind::tcp: {
      const auto bound = bound_address(descriptor);
      return bound && is_listening(descriptor) && is_bound_to_host(*bound, address);
    }
    case Address::Kind::systemd:
      break;
  }
  return false;
}

std::string bound_path(int descriptor) {
  const auto bound = bound_address(descriptor);
  if (!bound || bound->family() != AF_UNIX) return "";
  const auto& address = reinterpret_cast<const sockaddr_un&>(bound->storage);
  const std::size_t room =
      std::min<std::size_t>(bound->length, sizeof(address)) - offsetof(sockaddr_un, sun_path);
  return std::string(address.sun_path, ::strnlen(address.sun_path, room));
}

StoreChanges store_changes(const StoreContent& before, const StoreContent& after) {
  StoreChanges changes;
  for (const auto& [name, socket] : before) {
    const auto kept = after.find(name);
    if (kept == after.end() || kept->second != socket) changes.forget.push_back(name);
  }
  for (const auto& [name, socket] : after) {
    const auto known = before.find(name);
    if (known == before.end() || known->second != socket) changes.store.push_back(name);
  }
  return changes;
}

}  // namespace viaduct::daemon::master
