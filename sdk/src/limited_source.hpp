#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include <viaduct/errors.hpp>

#include "sdk/src/channel.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// A body that may be read up to a limit, none at first.
class LimitedSource final : public BodySource {
 public:
  explicit LimitedSource(BodySource& source) : source_(source) {}

  void reset() { left_ = kUnlimited; }
  void limit(std::uint64_t bytes) { left_ = std::min(left_, bytes); }

  [[nodiscard]] std::optional<std::uint64_t> length() const override { return source_.length(); }

  std::size_t read(std::span<std::byte> into) override {
    const std::size_t got = source_.read(into);
    if (left_ == kUnlimited) return got;
    if (got > left_) {
      left_ = 0;
      throw http_error(413, "Content Too Large");
    }
    left_ -= got;
    return got;
  }

 private:
  static constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

  BodySource& source_;
  std::uint64_t left_ = kUnlimited;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
