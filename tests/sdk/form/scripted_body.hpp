#pragma once

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include <viaduct/errors.hpp>

#include "sdk/src/channel.hpp"

namespace viaduct::test {

/// A body that comes `step` bytes at a time and then ends, or breaks off.
class ScriptedBody final : public detail::BodySource {
 public:
  explicit ScriptedBody(std::string bytes, std::size_t step = 1000)
      : bytes_(std::move(bytes)), step_(step) {}

  ScriptedBody& announce(std::uint64_t length) {
    announced_ = length;
    return *this;
  }
  ScriptedBody& break_off() {
    breaks_off_ = true;
    return *this;
  }
  /// Bytes taken so far.
  [[nodiscard]] std::size_t taken() const { return taken_; }

  [[nodiscard]] std::optional<std::uint64_t> length() const override { return announced_; }
  std::size_t read(std::span<std::byte> into) override {
    const std::size_t count = std::min({into.size(), step_, bytes_.size() - taken_});
    if (count == 0 && breaks_off_) throw client_gone("scripted");
    if (count > 0) std::memcpy(into.data(), bytes_.data() + taken_, count);
    taken_ += count;
    return count;
  }

 private:
  const std::string bytes_;
  const std::size_t step_;
  std::optional<std::uint64_t> announced_;
  bool breaks_off_ = false;
  std::size_t taken_ = 0;
};

/// Status of the http_error that `call` throws; 0 when it throws nothing.
template <class Call>
int status_of(const Call& call) {
  try {
    call();
    return 0;
  } catch (const http_error& error) {
    return error.status;
  }
}

}  // namespace viaduct::test
