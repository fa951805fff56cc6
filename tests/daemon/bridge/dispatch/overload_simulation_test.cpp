// What a queue's discipline does for clients with limited patience, under loads that a pool of
// workers can and cannot serve. The tables are printed.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/bridge/dispatch/wait_queue.hpp"

namespace viaduct::daemon::bridge {
namespace {

using Clock = WaitQueue::Clock;
using std::chrono::milliseconds;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t kSlots = 8;
constexpr double kService = 0.010;  // seconds, on average: 800 requests a second
constexpr std::size_t kQueueLimit = 1024;
constexpr double kQueueTimeout = 5;
constexpr double kLeastPatience = 0.25;
constexpr double kMostPatience = 5;

struct Request : Waiting {
  double arrived = 0;
  double patience = 0;
};

Clock::time_point clock_at(double seconds) {
  return Clock::time_point(std::chrono::duration_cast<Clock::duration>(Seconds(seconds + 1000)));
}

enum class Discipline { in_order, in_order_shed, in_order_cut, latest_cut, ours };

const char* name_of(Discipline discipline) {
  switch (discipline) {
    case Discipline::in_order:
      return "in order";
    case Discipline::in_order_shed:
      return "in order, shed by the law";
    case Discipline::in_order_cut:
      return "in order, cut at the target";
    case Discipline::latest_cut:
      return "latest first, cut at the interval";
    case Discipline::ours:
      return "latest first, shed by the law";
  }
  return "";
}

// A queue of that discipline. The alternatives to ours use the same law on a plain list.
class Policy {
 public:
  explicit Policy(Discipline discipline)
      : discipline_(discipline),
        lanes_(make_lanes()),
        ours_(lanes_, settings()),
        delay_(settings()) {}

  // Whoever has to leave because of it, or nullptr.
  Request* push(Request& request, double now) {
    Request* leaves = nullptr;
    if (size() >= kQueueLimit) {
      leaves =
          discipline_ == Discipline::ours ? static_cast<Request*>(ours_.place_for(0)) : nullptr;
      if (leaves == nullptr) return &request;
      remove(*leaves);
    }
    if (discipline_ == Discipline::ours) {
      ours_.push(request, clock_at(now));
    } else {
      list_.push_back(&request);
    }
    return leaves;
  }

  // The next to be served; `shed` gets those that have to leave before.
  Request* take(double now, const std::function<void(Request&)>& shed) {
    while (Request* const late = overdue(now)) {
      remove(*late);
      shed(*late);
    }
    Request* next = nullptr;
    if (discipline_ == Discipline::ours) {
      next = static_cast<Request*>(ours_.next());
    } else if (!list_.empty()) {
      const bool latest = discipline_ == Discipline::latest_cut && delay_.overloaded();
      next = latest ? list_.back() : list_.front();
    }
    if (next != nullptr) remove(*next);
    return next;
  }

  void remove(Request& request) {
    if (discipline_ == Discipline::ours) {
      ours_.remove(request);
    } else {
      const auto found = std::find(list_.begin(), list_.end(), &request);
      if (found != list_.end()) list_.erase(found);
    }
  }

  [[nodiscard]] std::size_t size() const {
    return discipline_ == Discipline::ours ? ours_.size() : list_.size();
  }

 private:
  static ControlledDelay::Settings settings() {
    return controlled_delay(milliseconds(static_cast<int>(kQueueTimeout * 1000)));
  }
  static std::deque<Lane> make_lanes() {
    std::deque<Lane> lanes;
    lanes.emplace_back(config::Priority::normal);
    return lanes;
  }

  Request* overdue(double now) {
    if (discipline_ == Discipline::in_order) return nullptr;
    if (discipline_ == Discipline::ours) {
      return static_cast<Request*>(ours_.overdue(kSlots, clock_at(now)));
    }
    const double waited = list_.empty() ? 0 : now - list_.front()->arrived;
    const auto oldest = std::chrono::duration_cast<Clock::duration>(Seconds(waited));
    delay_.observe(oldest, list_.size(), kSlots, clock_at(now));
    const bool cuts = discipline_ == Discipline::in_order_cut ||
                      (discipline_ == Discipline::latest_cut && oldest > settings().interval);
    return (cuts && delay_.overloaded()) || delay_.shed(clock_at(now)) ? list_.front() : nullptr;
  }

  Discipline discipline_;
  std::deque<Lane> lanes_;
  WaitQueue ours_;
  ControlledDelay delay_;
  std::deque<Request*> list_;
};

struct Outcome {
  std::size_t offered = 0;
  std::size_t in_time = 0;           // answered before its client lost patience
  std::size_t too_late = 0;          // answered, to nobody
  std::size_t refused = 0;           // 503: full, shed, or past timeouts.queue
  std::size_t left = 0;              // its client left while it waited, and was noticed
  std::vector<double> waits;         // of those answered in time
  std::vector<double> refusals;      // how long the refused had waited
  std::vector<std::size_t> lengths;  // of the queue, every tenth of a second

  static double quantile(std::vector<double> values, double q) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
  }
};

struct Load {
  double seconds;
  std::function<double(double)> rate;  // requests a second, at that time
  bool noticed = false;                // a client that leaves closes its connection
};

// Poisson arrivals, exponential service; the same requests for every discipline.
class Simulation {
 public:
  Simulation(Discipline discipline, const Load& load) : load_(load), policy_(discipline) {
    std::mt19937 random(17);
    const auto uniform = [&] { return (random() + 0.5) / 4294967296.0; };
    for (double now = 0; now < load.seconds;) {
      const double rate = load.rate(now);
      now += -std::log(uniform()) / rate;
      Request& request = requests_.emplace_back();
      request.arrived = now;
      request.patience = kLeastPatience + uniform() * (kMostPatience - kLeastPatience);
      services_.push_back(-std::log(uniform()) * kService);
    }
  }

  Outcome run() {
    for (Request& request : requests_) {
      serve_until(request.arrived);
      ++outcome_.offered;
      Request* const leaves = policy_.push(request, request.arrived);
      if (leaves != &request) waiting_.push_back(&request);
      if (leaves != nullptr) refuse(*leaves, request.arrived);
      fill(request.arrived);
    }
    serve_until(1e9);
    return outcome_;
  }

 private:
  void serve_until(double time) {
    for (;;) {
      const double next = ends_.empty() ? 1e18 : ends_.top();
      if (std::min(next, tick_) > time) return;
      if (ends_.empty() && policy_.size() == 0 && time > load_.seconds) return;
      if (tick_ <= next) {
        tick(tick_);
        tick_ += 0.05;
      } else {
        ends_.pop();
        fill(next);
      }
    }
  }

  void fill(double now) {
    while (ends_.size() < kSlots) {
      Request* const request = policy_.take(now, [&](Request& shed) { refuse(shed, now); });
      if (request == nullptr) return;
      waiting_.erase(std::find(waiting_.begin(), waiting_.end(), request));
      const double end = now + services_[started_++];
      ends_.push(end);
      if (end - request->arrived <= request->patience) {
        ++outcome_.in_time;
        outcome_.waits.push_back(now - request->arrived);
      } else {
        ++outcome_.too_late;
      }
    }
  }

  void tick(double now) {
    if (++ticks_ % 2 == 0) outcome_.lengths.push_back(policy_.size());
    const auto waiting = waiting_;
    for (Request* const request : waiting) {
      const double waited = now - request->arrived;
      if (load_.noticed && waited > request->patience) {
        leave(*request);
        ++outcome_.left;
      } else if (waited >= kQueueTimeout) {
        refuse(*request, now);
      }
    }
  }

  void leave(Request& request) {
    policy_.remove(request);
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &request));
  }

  void refuse(Request& request, double now) {
    const auto found = std::find(waiting_.begin(), waiting_.end(), &request);
    policy_.remove(request);
    if (found != waiting_.end()) waiting_.erase(found);
    ++outcome_.refused;
    outcome_.refusals.push_back(now - request.arrived);
  }

  const Load& load_;
  Policy policy_;
  std::deque<Request> requests_;
  std::vector<double> services_;
  std::size_t started_ = 0;
  std::deque<Request*> waiting_;
  std::priority_queue<double, std::vector<double>, std::greater<>> ends_;
  double tick_ = 0;
  std::size_t ticks_ = 0;
  Outcome outcome_;
};

void print_head() {
  std::printf("%-34s %9s %8s %8s %8s %8s %9s %9s %9s\n", "", "in time/s", "too late", "refused",
              "left", "offered", "wait p50", "wait p99", "503 p50");
}

void print_row(const char* name, const Outcome& outcome, const Load& load) {
  std::printf("%-34s %9.0f %8zu %8zu %8zu %8zu %6.0f ms %6.0f ms %6.0f ms\n", name,
              static_cast<double>(outcome.in_time) / load.seconds, outcome.too_late,
              outcome.refused, outcome.left, outcome.offered,
              1000 * Outcome::quantile(outcome.waits, 0.5),
              1000 * Outcome::quantile(outcome.waits, 0.99),
              1000 * Outcome::quantile(outcome.refusals, 0.5));
}

// The queue's length over time, one column for half a second.
void print_plot(const char* name, const Outcome& outcome) {
  std::printf("%s: requests waiting, half a second a column, at most %zu\n", name, kQueueLimit);
  constexpr std::size_t kRows = 6;
  for (std::size_t row = kRows; row > 0; --row) {
    std::string line;
    for (std::size_t i = 0; i < outcome.lengths.size(); i += 5) {
      line += outcome.lengths[i] * kRows > (row - 1) * kQueueLimit ? '#' : ' ';
    }
    std::printf("|%s\n", line.c_str());
  }
  std::printf("+%s\n", std::string(outcome.lengths.size() / 5, '-').c_str());
}

constexpr double kCapacity = kSlots / kService;

Outcome run(Discipline discipline, const Load& load) {
  return Simulation(discipline, load).run();
}

struct Steady {
  const char* name;
  double load;
  bool noticed;
};

class SteadyOverload : public ::testing::TestWithParam<Steady> {};

INSTANTIATE_TEST_SUITE_P(
    Loads, SteadyOverload,
    ::testing::Values(Steady{"Hardly", 1.05, false}, Steady{"HardlyNoticed", 1.05, true},
                      Steady{"Half", 1.5, false}, Steady{"HalfNoticed", 1.5, true},
                      Steady{"Thrice", 3, false}, Steady{"ThriceNoticed", 3, true}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_P(SteadyOverload, LatestFirstAnswersAsManyInTimeAsAnyOther) {
  const Load load{.seconds = 30,
                  .rate = [](double) { return GetParam().load * kCapacity; },
                  .noticed = GetParam().noticed};
  std::printf("load %.2f, 30 s, %zu slots of %.0f ms, patience %.2f to %.0f s, %s\n",
              GetParam().load, kSlots, 1000 * kService, kLeastPatience, kMostPatience,
              load.noticed ? "who leaves is noticed" : "who leaves is not noticed");
  print_head();
  std::size_t best = 0;
  for (const Discipline discipline : {Discipline::in_order, Discipline::in_order_shed,
                                      Discipline::in_order_cut, Discipline::latest_cut}) {
    const Outcome outcome = run(discipline, load);
    print_row(name_of(discipline), outcome, load);
    best = std::max(best, outcome.in_time);
  }
  const Outcome ours = run(Discipline::ours, load);
  print_row(name_of(Discipline::ours), ours, load);
  EXPECT_GE(static_cast<double>(ours.in_time), 0.99 * static_cast<double>(best));
  EXPECT_GE(static_cast<double>(ours.in_time), 0.95 * kCapacity * load.seconds);
}

TEST(Overload, LoadThatTheWorkersCanServeIsServedInOrderAndInFull) {
  const Load load{.seconds = 60, .rate = [](double) { return 0.9 * kCapacity; }};
  const Outcome plain = run(Discipline::in_order, load);
  const Outcome ours = run(Discipline::ours, load);
  print_head();
  print_row(name_of(Discipline::ours), ours, load);
  EXPECT_EQ(ours.refused, 0u);
  EXPECT_EQ(ours.waits, plain.waits);
}

TEST(Overload, BurstThatTheQueueAbsorbsIsServedInOrderAndInFull) {
  // 900 requests within 50 ms, again and again.
  const Load load{.seconds = 20, .rate = [](double now) {
                    return std::fmod(now, 4) < 0.05 ? 18'000 : 0.4 * kCapacity;
                  }};
  const Outcome plain = run(Discipline::in_order, load);
  const Outcome ours = run(Discipline::ours, load);
  print_plot("bursts", ours);
  EXPECT_EQ(plain.refused, 0u);
  EXPECT_EQ(ours.refused, 0u);
  EXPECT_EQ(ours.waits, plain.waits);
}

TEST(Overload, IsOverSoonAfterItsCause) {
  constexpr double kEnd = 10;
  const Load load{.seconds = 20,
                  .rate = [](double now) { return now < kEnd ? 3 * kCapacity : 0.5 * kCapacity; }};
  const Outcome ours = run(Discipline::ours, load);
  print_plot("three times the capacity for 10 s, then half of it", ours);
  const auto length_at = [&](double time) {
    return ours.lengths[static_cast<std::size_t>(time * 10)];
  };
  EXPECT_GT(length_at(kEnd - 0.5), kSlots);
  // No longer than it takes to serve a full queue with what is left of the capacity.
  const double drained = kEnd + kQueueLimit / (0.5 * kCapacity) + 1;
  for (double time = drained; time < 20; time += 0.1) {
    EXPECT_LE(length_at(time), kSlots) << time;
  }
}

}  // namespace
}  // namespace viaduct::daemon::bridge
