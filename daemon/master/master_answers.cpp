// Who asked for a reload is told how it went.
#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/master/master.hpp"

namespace viaduct::daemon::master {

namespace {

// For a bridge that drains to close its listeners, before a reload is reported all the same.
constexpr std::chrono::seconds kLeave{5};

}  // namespace

// A connection that is made after the answer has to reach the new generation: callers rely on it.
void Master::answer_once_left(const Generation& old) {
  if (!old.has_bridge() || stopping_) return;
  leaving_.push_back({old.number(), std::exchange(this_reload_.waiting, {}), reload_outcome_});
  leave_timer_.expires_after(kLeave);
  leave_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) answer_all_left();
  });
}

void Master::answer_left(unsigned generation) {
  const auto others = std::stable_partition(
      leaving_.begin(), leaving_.end(),
      [generation](const Leaving& leaving) { return leaving.generation == generation; });
  std::vector<Leaving> left(std::make_move_iterator(leaving_.begin()),
                            std::make_move_iterator(others));
  leaving_.erase(leaving_.begin(), others);
  for (const Leaving& leaving : left) {
    for (const Done& done : leaving.waiting) done(leaving.outcome);
  }
}

void Master::answer_all_left() {
  for (const Leaving& leaving : std::exchange(leaving_, {})) {
    for (const Done& done : leaving.waiting) done(leaving.outcome);
  }
}

// Those whose request became part of this reload; once the daemon stops, all.
void Master::answer_reload() {
  for (const Done& done : std::exchange(this_reload_.waiting, {})) done(reload_outcome_);
  if (!stopping_) return;
  answer_all_left();
  for (const Done& done : reloads_.clear()) {
    done({control::Outcome::Kind::refused, "reload failed: " + why_stopping_, {}, {}});
  }
}

}  // namespace viaduct::daemon::master
