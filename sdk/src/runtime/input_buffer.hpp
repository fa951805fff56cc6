#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "protocol/output.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Bytes of a request that came in and wait for its handler. Whoever fills it bounds it.
class InputBuffer {
 public:
  [[nodiscard]] std::size_t unread() const { return bytes_.size() - taken_; }

  void store(protocol::Bytes bytes) {
    if (taken_ == bytes_.size()) {
      bytes_.clear();
      taken_ = 0;
    } else if (taken_ > bytes_.size() / 2) {
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(taken_));
      taken_ = 0;
    }
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  /// Copies what is there, as far as it fits, and returns how much that is.
  std::size_t take(std::span<std::byte> into) {
    const std::size_t count = std::min(into.size(), unread());
    if (count > 0) std::memcpy(into.data(), bytes_.data() + taken_, count);
    taken_ += count;
    return count;
  }

  /// Drops what is there and returns how much that was.
  std::size_t drop() {
    const std::size_t count = unread();
    taken_ = bytes_.size();
    return count;
  }

  /// For another request; more memory than that is given up.
  void reset(std::size_t keep) {
    bytes_.clear();
    taken_ = 0;
    if (bytes_.capacity() > keep) std::vector<std::byte>().swap(bytes_);
  }

 private:
  std::vector<std::byte> bytes_;
  std::size_t taken_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
