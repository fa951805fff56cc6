#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include "protocol/peer_rule.hpp"

namespace viaduct::daemon::bridge {

/// Counts the open connections of each client of the http listeners
/// (limits.connections_per_client). All threads of the bridge share it. A connection takes the lock
/// twice in its life, and only where there is a limit; requests never do. A client is an IPv4
/// address, or the first 64 bits of an IPv6 address, of which a client has the rest to itself. No
/// more clients are known than there are connections.
class ClientCounts {
 public:
  /// `limit`: connections of one client; 0: none.
  explicit ClientCounts(std::uint32_t limit) : limit_(limit) {}

  /// One counted connection; uncounted on destruction, no later than its ClientCounts.
  class Place {
   public:
    Place() = default;
    Place(ClientCounts& counts, const protocol::IpBytes& client)
        : counts_(&counts), client_(client) {}
    Place(Place&& other) noexcept
        : counts_(std::exchange(other.counts_, nullptr)), client_(other.client_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(counts_, other.counts_);
      std::swap(client_, other.client_);
      return *this;
    }
    ~Place() {
      if (counts_ != nullptr) counts_->leave(client_);
    }
    [[nodiscard]] explicit operator bool() const { return counts_ != nullptr; }

   private:
    ClientCounts* counts_ = nullptr;  // null: not counted
    protocol::IpBytes client_{};
  };

  [[nodiscard]] bool limited() const { return limit_ != 0; }
  /// An empty place when the client has as many connections as it may.
  Place enter(const protocol::IpBytes& address);
  [[nodiscard]] std::size_t clients();

 private:
  void leave(const protocol::IpBytes& client);

  const std::uint32_t limit_;
  std::mutex mutex_;
  std::map<protocol::IpBytes, std::uint32_t> counts_;  // ordered: clients choose their addresses
};

}  // namespace viaduct::daemon::bridge
