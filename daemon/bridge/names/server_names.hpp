#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace viaduct::daemon::bridge {

using IpAddress = boost::asio::ip::address;

/// What came of looking up a name.
struct Resolution {
  /// IPv4 and IPv6, in no order; an address that is there twice counts once.
  std::vector<IpAddress> addresses{};
  /// The smallest TTL of the answer. Nothing: it comes from /etc/hosts, which has none.
  std::optional<std::chrono::seconds> ttl{};
  /// Whether the addresses of that kind could not be asked for, though the others could.
  bool ipv4_unknown = false;
  bool ipv6_unknown = false;
  /// Why there are no addresses, in words.
  std::string failure{};
};

/// Addresses of one name that are used; those beyond are left out.
inline constexpr std::size_t kMaxAddresses = 64;

/// How long an answer is used: its TTL, within these bounds.
inline constexpr std::chrono::seconds kMinTtl{1};
inline constexpr std::chrono::seconds kMaxTtl{300};
/// What stands in /etc/hosts is read again after this.
inline constexpr std::chrono::seconds kHostsFileTtl{10};

/// After a failure the name is asked for again after the first of these, then after twice as long,
/// up to the second.
inline constexpr std::chrono::seconds kFirstRetry{1};
inline constexpr std::chrono::seconds kLastRetry{30};

/// Why nobody can connect to an address as that of a server: it is unspecified (0.0.0.0/8, ::),
/// multicast, broadcast, or IPv6 link-local, which says nothing without an interface.
bool is_unusable(const IpAddress& address);

/// The addresses of a server's name as far as they are known, and what follows from each answer. An
/// answer replaces what was known before; a failure leaves it as it is.
class ServerNames {
 public:
  struct Change {
    std::vector<IpAddress> added;
    std::vector<IpAddress> removed;
    /// When the name is to be asked for again.
    std::chrono::seconds ask_again{0};

    /// For the log, each only when it was not so after the previous answer.
    std::optional<std::string> failing;  ///< it cannot be resolved, and why
    bool resolved_again = false;
    std::vector<IpAddress> unusable;  ///< addresses of the answer that are ignored
    std::size_t left_out = 0;         ///< addresses beyond kMaxAddresses
  };

  Change update(const Resolution& resolution);

  /// Sorted.
  [[nodiscard]] const std::vector<IpAddress>& known() const { return known_; }
  [[nodiscard]] bool knows_ipv4() const;
  [[nodiscard]] bool knows_ipv6() const;

 private:
  Change fail(std::string reason);
  [[nodiscard]] std::chrono::seconds back_off();

  std::vector<IpAddress> known_;
  std::vector<IpAddress> unusable_;
  std::size_t left_out_ = 0;
  bool failing_ = false;
  std::chrono::seconds retry_{kFirstRetry};  // after the next failure
};

}  // namespace viaduct::daemon::bridge
