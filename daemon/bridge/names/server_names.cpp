#include "daemon/bridge/names/server_names.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace viaduct::daemon::bridge {

namespace {

using Addresses = std::vector<IpAddress>;

void sort_unique(Addresses& addresses) {
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
}

Addresses without(const Addresses& from, const Addresses& others) {
  Addresses rest;
  std::set_difference(from.begin(), from.end(), others.begin(), others.end(),
                      std::back_inserter(rest));
  return rest;
}

Addresses common(const Addresses& one, const Addresses& other) {
  Addresses both;
  std::set_intersection(one.begin(), one.end(), other.begin(), other.end(),
                        std::back_inserter(both));
  return both;
}

bool is_unusable_v4(const boost::asio::ip::address_v4& address) {
  return (address.to_uint() >> 24) == 0 || address.is_multicast() ||
         address == boost::asio::ip::address_v4::broadcast();
}

}  // namespace

bool is_unusable(const IpAddress& address) {
  if (address.is_v4()) return is_unusable_v4(address.to_v4());
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) {
    return is_unusable_v4(boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6));
  }
  return v6.is_unspecified() || v6.is_multicast() || v6.is_link_local();
}

bool ServerNames::knows_ipv4() const {
  return std::any_of(known_.begin(), known_.end(), [](const auto& a) { return a.is_v4(); });
}

bool ServerNames::knows_ipv6() const {
  return std::any_of(known_.begin(), known_.end(), [](const auto& a) { return a.is_v6(); });
}

std::chrono::seconds ServerNames::back_off() {
  return std::exchange(retry_, std::min(2 * retry_, kLastRetry));
}

ServerNames::Change ServerNames::fail(std::string reason) {
  Change change;
  if (!std::exchange(failing_, true)) change.failing = std::move(reason);
  change.ask_again = back_off();
  return change;
}

ServerNames::Change ServerNames::update(const Resolution& resolution) {
  Addresses usable = resolution.addresses;
  sort_unique(usable);
  Addresses unusable;
  std::copy_if(usable.begin(), usable.end(), std::back_inserter(unusable), is_unusable);
  std::erase_if(usable, is_unusable);
  const bool others_unusable = unusable != std::exchange(unusable_, unusable);
  if (usable.empty()) {
    Change change =
        fail(unusable.empty() ? resolution.failure : "none of its addresses can be connected to");
    if (others_unusable) change.unusable = std::move(unusable);
    return change;
  }

  Change change;
  for (const IpAddress& address : known_) {
    if (address.is_v4() ? resolution.ipv4_unknown : resolution.ipv6_unknown) {
      usable.push_back(address);
    }
  }
  sort_unique(usable);
  // Those that are in use have precedence, so that a long answer does not change servers for
  // others.
  Addresses next = common(known_, usable);
  change.removed = without(known_, next);
  change.added = without(usable, next);
  const std::size_t room = kMaxAddresses - next.size();
  const std::size_t left_out = change.added.size() - std::min(change.added.size(), room);
  change.added.resize(change.added.size() - left_out);
  next.insert(next.end(), change.added.begin(), change.added.end());
  sort_unique(next);
  known_ = std::move(next);

  change.resolved_again = std::exchange(failing_, false);
  if (others_unusable) change.unusable = std::move(unusable);
  if (left_out != std::exchange(left_out_, left_out)) change.left_out = left_out;
  change.ask_again = resolution.ttl ? std::clamp(*resolution.ttl, kMinTtl, kMaxTtl) : kHostsFileTtl;
  if (resolution.ipv4_unknown || resolution.ipv6_unknown) {
    change.ask_again = std::min(change.ask_again, back_off());
  } else {
    retry_ = kFirstRetry;
  }
  return change;
}

}  // namespace viaduct::daemon::bridge
