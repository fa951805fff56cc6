#include "daemon/master/board.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

namespace viaduct::daemon::master {

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

std::int64_t gauge(const std::atomic<std::int64_t>& value) {
  return std::max<std::int64_t>(value.load(kRelaxed), 0);
}

const Scoreboard* map_for_reading(int descriptor) {
  void* const memory = ::mmap(nullptr, sizeof(Scoreboard), PROT_READ, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  return static_cast<const Scoreboard*>(memory);
}

}  // namespace

std::uint64_t saturated_sum(std::uint64_t left, std::uint64_t right) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  return left > kMost - right ? kMost : left + right;
}

std::int64_t saturated_sum(std::int64_t left, std::int64_t right) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  return left > kMost - right ? kMost : left + right;
}

AppCounts& AppCounts::operator+=(const AppCounts& other) {
  const auto add = [&](auto member) {
    this->*member = saturated_sum(this->*member, other.*member);
  };
  for (const auto member : {&AppCounts::requests, &AppCounts::failed, &AppCounts::aborted,
                            &AppCounts::retried, &AppCounts::timeouts, &AppCounts::errors,
                            &AppCounts::canary_requests, &AppCounts::canary_errors}) {
    add(member);
  }
  add(&AppCounts::active);
  add(&AppCounts::queued);
  return *this;
}

void Board::Unmap::operator()(const Scoreboard* scores) const noexcept {
  ::munmap(const_cast<Scoreboard*>(scores), sizeof(Scoreboard));
}

Board::Board(std::size_t apps)
    : memory_(create_scoreboard()), scores_(map_for_reading(memory_.get())), apps_(apps) {}

std::uint64_t Board::rise(std::uint64_t& seen, const std::atomic<std::uint64_t>& counter) {
  seen = std::max(seen, counter.load(kRelaxed));
  return seen;
}

std::int64_t Board::connections() const {
  return gauge(scores_->connections);
}

SandboxState Board::sandbox() const {
  return {scores_->sandbox.load(kRelaxed), scores_->seccomp_error.load(kRelaxed),
          scores_->landlock_error.load(kRelaxed)};
}

AppCounts Board::app(std::size_t index) {
  const AppScore& score = scores_->apps.at(index);
  AppCounts& seen = apps_.at(index);
  rise(seen.requests, score.requests);
  rise(seen.failed, score.failed);
  rise(seen.aborted, score.aborted);
  rise(seen.retried, score.retried);
  rise(seen.timeouts, score.timeouts);
  rise(seen.errors, score.errors);
  rise(seen.canary_requests, score.canary_requests);
  rise(seen.canary_errors, score.canary_errors);
  seen.active = gauge(score.active);
  seen.queued = gauge(score.queued);
  return seen;
}

}  // namespace viaduct::daemon::master
