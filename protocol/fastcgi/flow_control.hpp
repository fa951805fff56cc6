#pragma once

#include <cstdint>

namespace viaduct::protocol::fastcgi {

/// Bounds of VIADUCT_WINDOW in bytes, and its default.
inline constexpr std::uint32_t kMinWindow = 16 * 1024;
inline constexpr std::uint32_t kMaxWindow = 16 * 1024 * 1024;
inline constexpr std::uint32_t kDefaultWindow = 256 * 1024;

/// The sender's half of one pool of credit: how many content bytes may still be sent. A pool starts
/// with the receiver's whole window. On a link without flow control credit is unlimited.
class SendCredit {
 public:
  SendCredit() = default;  ///< unlimited
  explicit SendCredit(std::uint32_t window) : limited_(true), window_(window), available_(window) {}

  /// Content bytes that may be sent now.
  [[nodiscard]] std::uint32_t available() const { return available_; }
  /// `bytes` were sent; not more than available().
  void spend(std::uint32_t bytes);
  /// The receiver returned credit. False when `bytes` is zero or lifts the pool above the window:
  /// an error of the link.
  [[nodiscard]] bool grant(std::uint32_t bytes);

 private:
  bool limited_ = false;
  std::uint32_t window_ = 0;
  std::uint32_t available_ = UINT32_MAX;
};

/// The receiver's half: what the peer may still send, and when credit is due to be returned: at
/// half a window, or when nothing received is left to pass on.
class ReceiveCredit {
 public:
  ReceiveCredit() = default;  ///< unlimited: accepts everything, never returns credit
  explicit ReceiveCredit(std::uint32_t window) : limited_(true), window_(window) {}

  /// Content arrived. False when the peer had no credit for it: an error of the link.
  [[nodiscard]] bool received(std::uint32_t bytes);
  /// Content was passed on (or dropped) and no longer occupies memory.
  void passed_on(std::uint32_t bytes);
  /// Credit to return to the peer now, in bytes; 0: none yet. Counts as returned.
  [[nodiscard]] std::uint32_t take_due();
  /// Bytes received and not yet passed on.
  [[nodiscard]] std::uint32_t held() const { return held_; }

 private:
  bool limited_ = false;
  std::uint32_t window_ = 0;
  std::uint32_t held_ = 0;        // received, not passed on
  std::uint32_t returnable_ = 0;  // passed on, not returned
};

}  // namespace viaduct::protocol::fastcgi
