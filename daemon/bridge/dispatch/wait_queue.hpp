#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "daemon/bridge/dispatch/controlled_delay.hpp"
#include "daemon/config/listener_settings.hpp"

namespace viaduct::daemon::bridge {

/// Requests that queue together, as all threads know them: those of one priority, or those of one
/// route that has a limit of its own.
class Lane {
 public:
  explicit Lane(config::Priority priority, std::uint32_t limit = 0)
      : priority_(priority), limit_(limit) {}

  [[nodiscard]] config::Priority priority() const { return priority_; }
  [[nodiscard]] std::uint32_t limit() const { return limit_; }  ///< at workers at once; 0: none

  [[nodiscard]] bool has_room() const {
    return limit_ == 0 || active_.load(std::memory_order_relaxed) < limit_;
  }
  /// One of its requests goes to a worker; false, and nothing happens, when it has no room.
  bool enter() {
    if (limit_ == 0) return true;
    if (active_.fetch_add(1, std::memory_order_relaxed) < limit_) return true;
    active_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  void leave() {
    if (limit_ != 0) active_.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  config::Priority priority_;
  std::uint32_t limit_;
  std::atomic<std::uint32_t> active_ = 0;
};

/// A request as the queue sees it: a link of its lists, so that queueing allocates nothing.
struct Waiting {
  Waiting* earlier = nullptr;
  Waiting* later = nullptr;
  std::chrono::steady_clock::time_point since{};  ///< when it was queued
  std::uint64_t turn = 0;                         ///< counts up with every one queued
  std::uint32_t lane = 0;
  bool queued = false;
  bool again = false;  ///< it has lost a worker
};

/// The requests of one app that wait on one thread. A pure object: who waits, who is next, who has
/// to give up. Neither owns nor allocates.
///
/// Next is a request of the highest priority among the lanes that have room: first those that have
/// lost a worker, then the earliest. A lane that is overloaded offers its latest request instead
/// and sheds its earliest: in the time that serving them in order would take, the clients of all of
/// them lose patience, while those of the latest are still there.
class WaitQueue {
 public:
  using Clock = ControlledDelay::Clock;

  /// Lanes are borrowed; a request names its own by position.
  WaitQueue(std::deque<Lane>& lanes, ControlledDelay::Settings settings);

  void push(Waiting& request, Clock::time_point now);
  /// It has been at a worker before: it goes before the others of its priority, and is not shed.
  void push_again(Waiting& request, Clock::time_point now);
  void remove(Waiting& request);

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// The next one to be sent; null when none may be.
  [[nodiscard]] Waiting* next() const;

  /// Since when the one waits that has waited longest for a worker, and not for its lane's room;
  /// time_point::max() when nobody does.
  [[nodiscard]] Clock::time_point waiting_since() const;

  /// No worker is ready: nobody is shed for waiting until one is, and the earliest go first again.
  void interrupt();
  /// Whether anybody has waited long enough for overdue() to be worth a question.
  [[nodiscard]] bool late(Clock::time_point now) const;
  /// To be called before a request leaves the queue: one that has to be shed, null when there is
  /// none any more. The caller removes it. `slots`: requests that the workers take at once.
  Waiting* overdue(std::size_t slots, Clock::time_point now);
  /// The one that gives its place in a full queue to a new request of that lane; null: the new one
  /// has to leave.
  [[nodiscard]] Waiting* place_for(std::uint32_t lane) const;
  [[nodiscard]] bool overloaded(std::uint32_t lane) const {
    return lines_[lane].delay.overloaded();
  }

  /// Calls `visit(request)` for each; it may remove that one.
  template <class Visit>
  void for_each(Visit visit) {
    for (const Line& line : lines_) {
      for (const List* list : {&line.again, &line.fresh}) {
        for (Waiting* at = list->earliest; at != nullptr;) {
          Waiting* const later = at->later;
          visit(*at);
          at = later;
        }
      }
    }
  }

 private:
  struct List {
    Waiting* earliest = nullptr;
    Waiting* latest = nullptr;
    std::size_t size = 0;

    void push(Waiting& request);
    void remove(Waiting& request);
  };
  struct Line {
    Lane* lane;
    ControlledDelay delay;
    List again;
    List fresh;
  };

  void queue(Waiting& request, bool again, Clock::time_point now);
  static Waiting* offer(const Line& line);

  std::vector<Line> lines_;
  std::size_t size_ = 0;
  std::uint64_t turn_ = 0;
};

}  // namespace viaduct::daemon::bridge
