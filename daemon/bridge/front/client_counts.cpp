#include "daemon/bridge/front/client_counts.hpp"

#include <algorithm>
#include <array>

namespace viaduct::daemon::bridge {

namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

protocol::IpBytes client_of(protocol::IpBytes address) {
  if (!std::equal(kMapped.begin(), kMapped.end(), address.begin())) {
    std::fill(address.begin() + 8, address.end(), std::uint8_t{0});
  }
  return address;
}

}  // namespace

ClientCounts::Place ClientCounts::enter(const protocol::IpBytes& address) {
  const protocol::IpBytes client = client_of(address);
  const std::lock_guard lock(mutex_);
  const auto [found, added] = counts_.try_emplace(client, 0U);
  if (found->second >= limit_) return {};
  ++found->second;
  return {*this, client};
}

void ClientCounts::leave(const protocol::IpBytes& client) {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(client);
  if (--found->second == 0) counts_.erase(found);
}

std::size_t ClientCounts::clients() {
  const std::lock_guard lock(mutex_);
  return counts_.size();
}

}  // namespace viaduct::daemon::bridge
