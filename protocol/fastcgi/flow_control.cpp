#include "protocol/fastcgi/flow_control.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::protocol::fastcgi {

void SendCredit::spend(std::uint32_t bytes) {
  if (limited_) available_ -= std::min(bytes, available_);
}

bool SendCredit::grant(std::uint32_t bytes) {
  if (!limited_) return true;
  if (bytes == 0 || bytes > window_ - available_) return false;
  available_ += bytes;
  return true;
}

bool ReceiveCredit::received(std::uint32_t bytes) {
  if (!limited_) return true;
  const std::uint64_t outstanding = std::uint64_t{held_} + returnable_;
  if (bytes > window_ - outstanding) return false;
  held_ += bytes;
  return true;
}

void ReceiveCredit::passed_on(std::uint32_t bytes) {
  if (!limited_) return;
  const std::uint32_t step = std::min(bytes, held_);
  held_ -= step;
  returnable_ += step;
}

std::uint32_t ReceiveCredit::take_due() {
  if (returnable_ == 0 || (held_ != 0 && returnable_ < window_ / 2)) return 0;
  return std::exchange(returnable_, 0);
}

}  // namespace viaduct::protocol::fastcgi
