#include "daemon/bridge/dispatch/wait_queue.hpp"

#include <algorithm>
#include <tuple>

namespace viaduct::daemon::bridge {

WaitQueue::WaitQueue(std::deque<Lane>& lanes, ControlledDelay::Settings settings) {
  for (Lane& lane : lanes) lines_.push_back({&lane, ControlledDelay(settings), {}, {}});
}

void WaitQueue::List::push(Waiting& request) {
  request.earlier = latest;
  request.later = nullptr;
  (latest != nullptr ? latest->later : earliest) = &request;
  latest = &request;
  ++size;
}

void WaitQueue::List::remove(Waiting& request) {
  (request.earlier != nullptr ? request.earlier->later : earliest) = request.later;
  (request.later != nullptr ? request.later->earlier : latest) = request.earlier;
  --size;
}

void WaitQueue::push(Waiting& request, Clock::time_point now) {
  queue(request, false, now);
}

void WaitQueue::push_again(Waiting& request, Clock::time_point now) {
  queue(request, true, now);
}

void WaitQueue::queue(Waiting& request, bool again, Clock::time_point now) {
  request.since = now;
  request.turn = turn_++;
  request.queued = true;
  request.again = again;
  Line& line = lines_[request.lane];
  (again ? line.again : line.fresh).push(request);
  ++size_;
}

void WaitQueue::remove(Waiting& request) {
  if (!request.queued) return;
  Line& line = lines_[request.lane];
  (request.again ? line.again : line.fresh).remove(request);
  request.queued = false;
  --size_;
}

Waiting* WaitQueue::offer(const Line& line) {
  if (!line.lane->has_room()) return nullptr;
  if (line.again.earliest != nullptr) return line.again.earliest;
  return line.delay.overloaded() ? line.fresh.latest : line.fresh.earliest;
}

Waiting* WaitQueue::next() const {
  if (size_ == 0) return nullptr;
  const auto rank = [this](const Waiting& request) {
    return std::tuple(lines_[request.lane].lane->priority(), !request.again, request.turn);
  };
  Waiting* best = nullptr;
  for (const Line& line : lines_) {
    Waiting* const offered = offer(line);
    if (offered != nullptr && (best == nullptr || rank(*offered) < rank(*best))) best = offered;
  }
  return best;
}

WaitQueue::Clock::time_point WaitQueue::waiting_since() const {
  auto since = Clock::time_point::max();
  for (const Line& line : lines_) {
    if (!line.lane->has_room()) continue;
    for (const List* list : {&line.again, &line.fresh}) {
      if (list->earliest != nullptr) since = std::min(since, list->earliest->since);
    }
  }
  return since;
}

void WaitQueue::interrupt() {
  for (Line& line : lines_) line.delay.interrupt();
}

bool WaitQueue::late(Clock::time_point now) const {
  return std::any_of(lines_.begin(), lines_.end(), [now](const Line& line) {
    if (line.delay.overloaded()) return true;
    const Waiting* const oldest = line.fresh.earliest;
    const auto target = line.delay.settings().target;
    return oldest != nullptr && target.count() > 0 && now - oldest->since >= target;
  });
}

Waiting* WaitQueue::overdue(std::size_t slots, Clock::time_point now) {
  for (Line& line : lines_) {
    Waiting* const oldest = line.fresh.earliest;
    const std::uint32_t limit = line.lane->limit();
    const std::size_t most = limit == 0 ? slots : std::min<std::size_t>(slots, limit);
    const auto waited = oldest == nullptr ? Clock::duration::zero() : now - oldest->since;
    line.delay.observe(waited, line.fresh.size, most, now);
    if (line.delay.shed(now)) return oldest;
  }
  return nullptr;
}

Waiting* WaitQueue::place_for(std::uint32_t lane) const {
  const auto own = lines_[lane].lane->priority();
  const Line* lowest = nullptr;
  for (const Line& line : lines_) {
    if (line.fresh.size == 0 || line.lane->priority() <= own) continue;
    if (lowest == nullptr || line.lane->priority() > lowest->lane->priority()) lowest = &line;
  }
  if (lowest != nullptr) {
    return lowest->delay.overloaded() ? lowest->fresh.earliest : lowest->fresh.latest;
  }
  return lines_[lane].delay.overloaded() ? lines_[lane].fresh.earliest : nullptr;
}

}  // namespace viaduct::daemon::bridge
