#include "daemon/master/replacements.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::daemon::master {

void Replacements::ask(std::uint64_t serial, std::string_view reason) {
  const bool waits = std::any_of(waiting_.begin(), waiting_.end(),
                                 [serial](const Wanted& one) { return one.serial == serial; });
  if (!waits) waiting_.push_back({serial, std::string(reason)});
}

std::optional<Replacements::Wanted> Replacements::next(TokenBucket::Clock::time_point now) {
  if (waiting_.empty() || bucket_.empty(now)) return std::nullopt;
  bucket_.spend(1, now);
  Wanted next = std::move(waiting_.front());
  waiting_.pop_front();
  return next;
}

}  // namespace viaduct::daemon::master
