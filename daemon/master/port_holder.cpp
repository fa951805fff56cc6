#include "daemon/master/port_holder.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>
#include <system_error>

namespace viaduct::daemon::master {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kListening = "0A";

/// An IPv4 address is kept in its IPv6 form.
struct Endpoint {
  std::array<std::uint8_t, 16> address{};
  std::uint16_t port = 0;
};

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

template <class Number>
std::optional<Number> number(std::string_view text, int base) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "0100007F:1F90": words of 32 bits as this machine stores them, then the port as people write it.
std::optional<Endpoint> parse_endpoint(std::string_view text) {
  constexpr std::size_t kWord = 8;
  const auto colon = text.find(':');
  if (colon != kWord && colon != 4 * kWord) return std::nullopt;
  Endpoint endpoint;
  std::size_t at = 0;
  if (colon == kWord) {
    std::copy(kMapped.begin(), kMapped.end(), endpoint.address.begin());
    at = kMapped.size();
  }
  for (std::size_t i = 0; i < colon; i += kWord, at += sizeof(std::uint32_t)) {
    const auto word = number<std::uint32_t>(text.substr(i, kWord), 16);
    if (!word) return std::nullopt;
    std::memcpy(&endpoint.address[at], &*word, sizeof(*word));
  }
  const auto port = number<std::uint16_t>(text.substr(colon + 1), 16);
  if (!port) return std::nullopt;
  endpoint.port = *port;
  return endpoint;
}

Endpoint endpoint_of(const SocketAddress& address) {
  Endpoint endpoint;
  if (address.family() == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address.storage);
    std::copy(kMapped.begin(), kMapped.end(), endpoint.address.begin());
    std::memcpy(&endpoint.address[kMapped.size()], &four.sin_addr, sizeof(four.sin_addr));
    endpoint.port = ntohs(four.sin_port);
  } else if (address.family() == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address.storage);
    std::memcpy(endpoint.address.data(), &six.sin6_addr, sizeof(six.sin6_addr));
    endpoint.port = ntohs(six.sin6_port);
  }
  return endpoint;
}

bool is_any(const Endpoint& endpoint) {
  const bool mapped = std::equal(kMapped.begin(), kMapped.end(), endpoint.address.begin());
  const auto* const first = endpoint.address.data() + (mapped ? kMapped.size() : 0);
  return std::all_of(first, endpoint.address.data() + endpoint.address.size(),
                     [](std::uint8_t byte) { return byte == 0; });
}

bool conflicts(const Endpoint& one, const Endpoint& other) {
  return one.port == other.port && (one.address == other.address || is_any(one) || is_any(other));
}

std::string read_table(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool has_one_of(const fs::path& process, const std::set<std::string>& sockets) {
  std::error_code ignored;
  for (fs::directory_iterator entry(process / "fd", ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    std::error_code closed;
    if (sockets.contains(fs::read_symlink(entry->path(), closed).string())) return true;
  }
  return false;
}

}  // namespace

std::vector<std::uint64_t> sockets_in_the_way(std::string_view table, const SocketAddress& wanted) {
  const Endpoint target = endpoint_of(wanted);
  std::vector<std::uint64_t> found;
  std::istringstream lines{std::string(table)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    const std::vector<std::string> fields(std::istream_iterator<std::string>(words), {});
    // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
    constexpr std::size_t kLocal = 1, kState = 3, kInode = 9;
    if (fields.size() <= kInode || fields[kState] != kListening) continue;
    const auto local = parse_endpoint(fields[kLocal]);
    const auto inode = number<std::uint64_t>(fields[kInode], 10);
    if (local && inode && conflicts(*local, target)) found.push_back(*inode);
  }
  return found;
}

pid_t port_holder(const SocketAddress& wanted) {
  std::set<std::string> sockets;
  for (const char* const table : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
    for (const std::uint64_t inode : sockets_in_the_way(read_table(table), wanted)) {
      sockets.insert("socket:[" + std::to_string(inode) + "]");
    }
  }
  if (sockets.empty()) return 0;
  pid_t lowest = 0;
  std::error_code ignored;
  for (fs::directory_iterator entry("/proc", ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const auto pid = number<pid_t>(entry->path().filename().string(), 10);
    if (!pid || (lowest != 0 && *pid > lowest)) continue;
    if (has_one_of(entry->path(), sockets)) lowest = *pid;
  }
  return lowest;
}

}  // namespace viaduct::daemon::master
