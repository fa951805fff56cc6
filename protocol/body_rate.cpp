#include "protocol/body_rate.hpp"

#include <algorithm>

namespace viaduct::protocol {

void BodyRate::receive(std::uint64_t bytes) {
  if (rate_ == 0) return;
  constexpr std::uint64_t kNanosecond = 1'000'000'000;
  // More than the account could take whatever it has been overdrawn by; nothing overflows below it.
  const std::uint64_t room = static_cast<std::uint64_t>((most_ - saved_).count());
  const std::uint64_t seconds = std::min(bytes / rate_, room / kNanosecond + 1);
  const std::uint64_t rest = bytes % rate_ * kNanosecond / rate_;
  const Duration worth(static_cast<Duration::rep>(seconds * kNanosecond + rest));
  saved_ = std::min(saved_ + worth, most_);
}

BodyRate::Duration BodyRate::left() const {
  if (rate_ == 0) return Duration::max();
  return std::max({saved_, grace_ - waited_, Duration::zero()});
}

}  // namespace viaduct::protocol
