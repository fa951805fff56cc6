#include "daemon/master/pool_size.hpp"

#include <cmath>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using config::Workers;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr Workers kRange{2, 16, 1, 60s};
constexpr Workers kOnDemand{0, 4, 0, 60s};

TEST(PoolSizeTest, WorkersNeeded) {
  struct Row {
    Workers limits;
    PoolLoad load;
    std::uint32_t capacity;
    std::uint32_t present;
    std::uint32_t needed;
  };
  const Row rows[] = {
      // Nothing to do: the least, without spare ones.
      {kRange, {}, 8, 5, 2},
      {kOnDemand, {}, 8, 1, 0},
      // Requests at work, and one to spare.
      {kRange, {1, 0, 0ms}, 8, 2, 2},
      {kRange, {8, 0, 0ms}, 8, 2, 2},
      {kRange, {9, 0, 0ms}, 8, 2, 3},
      {kRange, {16, 0, 0ms}, 8, 2, 3},
      {kRange, {17, 0, 0ms}, 8, 2, 4},
      // Never more than the most.
      {kRange, {8 * 15, 0, 0ms}, 8, 2, 16},
      {kRange, {8 * 16, 0, 0ms}, 8, 2, 16},
      {kRange, {UINT32_MAX, UINT32_MAX, 1s}, 1, 2, 16},
      // A queue counts once it has waited.
      {kRange, {16, 40, 0ms}, 8, 2, 3},
      {kRange, {16, 40, 99ms}, 8, 2, 3},
      {kRange, {16, 40, 100ms}, 8, 2, 8},
      {kRange, {16, 0, 5s}, 8, 2, 3},
      // Where there is nobody, it counts at once.
      {kOnDemand, {0, 1, 0ms}, 8, 0, 1},
      {kOnDemand, {0, 9, 0ms}, 8, 0, 2},
      {kOnDemand, {0, 9, 0ms}, 8, 1, 0},
      // One worker is to say what it takes before there are more.
      {kOnDemand, {0, 1000, 5s}, 0, 0, 1},
      {kOnDemand, {0, 1000, 5s}, 0, 1, 1},
      {kRange, {0, 1000, 5s}, 0, 2, 2},
      // Fixed.
      {{3, 3, 0, 60s}, {1000, 1000, 5s}, 8, 3, 3},
      {{3, 3, 0, 60s}, {}, 8, 3, 3},
  };
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    EXPECT_EQ(workers_needed(rows[i].limits, rows[i].load, rows[i].capacity, rows[i].present),
              rows[i].needed)
        << i;
  }
}

class Over : public testing::Test {
 protected:
  std::uint32_t after(milliseconds time, const PoolLoad& load) {
    now_ += time;
    present = size_.next(now_, limits, load, capacity, present);
    return present;
  }

  Workers limits = kRange;
  std::uint32_t capacity = 1;
  std::uint32_t present = 2;

 private:
  PoolSize size_;
  PoolSize::Clock::time_point now_{};
};

TEST_F(Over, GrowthDoublesAtMostAndNotTooOften) {
  const PoolLoad high{16, 100, 1s};
  EXPECT_EQ(after(0ms, high), 4u);
  EXPECT_EQ(after(99ms, high), 4u);
  EXPECT_EQ(after(1ms, high), 8u);
  EXPECT_EQ(after(100ms, high), 16u);
  EXPECT_EQ(after(100ms, high), 16u);
}

TEST_F(Over, ShrinksToTheMostThatWasNeededWhileItWasIdle) {
  present = 10;
  EXPECT_EQ(after(0ms, {1, 0, 0ms}), 10u);
  EXPECT_EQ(after(30s, {6, 0, 0ms}), 10u);
  EXPECT_EQ(after(29'999ms, {1, 0, 0ms}), 10u);
  EXPECT_EQ(after(1ms, {1, 0, 0ms}), 7u);
  EXPECT_EQ(after(59'999ms, {1, 0, 0ms}), 7u);
  EXPECT_EQ(after(1ms, {}), 2u);
}

TEST_F(Over, AMomentOfNeedStartsTheIdleTimeAnew) {
  present = 4;
  after(0ms, {});
  EXPECT_EQ(after(59s, {3, 0, 0ms}), 4u);
  EXPECT_EQ(after(59s, {}), 4u);
  EXPECT_EQ(after(60s, {}), 2u);
}

TEST_F(Over, WithoutIdleTimeItNeverShrinks) {
  limits.idle = 0ms;
  present = 9;
  for (int hour = 0; hour < 24; ++hour) EXPECT_EQ(after(1h, {}), 9u);
}

TEST_F(Over, NewLimitsHoldAtOnce) {
  present = 10;
  limits = {12, 20, 0, 60s};
  EXPECT_EQ(after(0ms, {}), 12u);
  limits = {1, 3, 0, 60s};
  EXPECT_EQ(after(0ms, {}), 3u);
}

TEST_F(Over, StartsWithTheFirstRequestAndEndsWhenNobodyComes) {
  limits = kOnDemand;
  present = 0;
  EXPECT_EQ(after(0ms, {}), 0u);
  EXPECT_EQ(after(1s, {0, 1, 0ms}), 1u);
  EXPECT_EQ(after(1s, {1, 0, 0ms}), 1u);
  EXPECT_EQ(after(1s, {}), 1u);
  EXPECT_EQ(after(59'999ms, {}), 1u);
  EXPECT_EQ(after(1ms, {}), 0u);
}

// ---- load curves

/// Requests come as `rate` (per second, at a time in seconds) says and take 100 ms each; a worker
/// takes one at a time and is ready a second after it was wanted.
class Simulation {
 public:
  static constexpr milliseconds kStep{100};

  Simulation(std::string name, Workers limits, std::function<double(double)> rate)
      : name_(std::move(name)),
        limits_(limits),
        rate_(std::move(rate)),
        starting_(limits.min, PoolSize::Clock::time_point{}) {}

  void run(std::chrono::seconds length) {
    for (milliseconds t{0}; t < length; t += kStep) step(t);
    plot();
  }

  std::uint32_t least = UINT32_MAX;
  std::uint32_t most = 0;
  unsigned growths = 0;
  unsigned shrinks = 0;
  unsigned turns = 0;  ///< from growing to shrinking or back
  double longest_wait = 0;
  std::vector<std::uint32_t> sizes;  ///< by step
  bool bounded_growth = true;
  bool patient_shrinking = true;  ///< never within `idle` of a time when the size was needed

 private:
  void step(milliseconds time) {
    const auto now = PoolSize::Clock::time_point{} + time;
    const double seconds = static_cast<double>(time.count()) / 1000;
    arrived_ += rate_(seconds) / 10;
    for (; arrived_ >= 1; --arrived_) queue_.push_back(time);
    std::uint32_t ready = 0;
    for (const auto start : starting_) ready += now - start >= 1s || start.time_since_epoch() == 0s;
    const auto busy = std::min<std::size_t>(ready, queue_.size());
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(busy));
    const milliseconds delay = queue_.empty() ? 0ms : time - queue_.front();
    longest_wait = std::max(longest_wait, static_cast<double>(delay.count()) / 1000);
    const PoolLoad load{static_cast<std::uint32_t>(busy), static_cast<std::uint32_t>(queue_.size()),
                        delay};
    decide(now, load);
  }

  void decide(PoolSize::Clock::time_point now, const PoolLoad& load) {
    const auto before = static_cast<std::uint32_t>(starting_.size());
    if (workers_needed(limits_, load, 1, before) >= before) needed_at_ = now;
    const std::uint32_t size = size_.next(now, limits_, load, 1, before);
    if (size != before) {
      const int direction = size > before ? 1 : -1;
      turns += direction_ != 0 && direction != direction_;
      direction_ = direction;
      (direction > 0 ? growths : shrinks)++;
      bounded_growth = bounded_growth && size <= std::max(1u, 2 * before);
      if (direction < 0) patient_shrinking = patient_shrinking && now - needed_at_ >= limits_.idle;
    }
    starting_.resize(size, now);
    sizes.push_back(size);
    rates_.push_back(rate_(std::chrono::duration<double>(now.time_since_epoch()).count()));
    least = std::min(least, size);
    most = std::max(most, size);
  }

  // A column for each 1/72 of the time: # workers, o requests per second divided by 10.
  void plot() const {
    constexpr std::size_t kColumns = 72;
    std::cout << name_ << ": # workers, o workers that the requests keep busy; "
              << sizes.size() / 10 << " s\n";
    for (std::uint32_t row = limits_.max; row > 0; --row) {
      std::string line(kColumns, ' ');
      for (std::size_t column = 0; column < kColumns; ++column) {
        const std::size_t at = column * sizes.size() / kColumns;
        if (sizes[at] >= row) line[column] = '#';
        if (rates_[at] / 10 > row - 1 && rates_[at] / 10 <= row) line[column] = 'o';
      }
      std::cout << (row < 10 ? " " : "") << row << " |" << line << '\n';
    }
    std::cout << "   +" << std::string(kColumns, '-') << '\n';
  }

  std::string name_;
  Workers limits_;
  std::function<double(double)> rate_;
  PoolSize size_;
  std::vector<PoolSize::Clock::time_point> starting_;
  std::vector<milliseconds> queue_;
  std::vector<double> rates_;
  double arrived_ = 0;
  int direction_ = 0;
  PoolSize::Clock::time_point needed_at_{};
};

constexpr Workers kSimulated{2, 16, 1, 20s};

void expect_in_order(const Simulation& simulation, const Workers& limits) {
  EXPECT_GE(simulation.least, limits.min);
  EXPECT_LE(simulation.most, limits.max);
  EXPECT_TRUE(simulation.bounded_growth);
  EXPECT_TRUE(simulation.patient_shrinking);
}

TEST(PoolSimulation, Burst) {
  Simulation burst("burst", kSimulated, [](double t) { return t >= 20 && t < 40 ? 120.0 : 5.0; });
  burst.run(120s);
  expect_in_order(burst, kSimulated);
  EXPECT_GE(burst.most, 13u);
  // Capacity is there a start after the last doubling.
  EXPECT_LE(burst.longest_wait, 3.0);
  EXPECT_LE(burst.growths, 6u);
  EXPECT_EQ(burst.turns, 1u) << "up, and once it is over down";
  EXPECT_EQ(burst.sizes.back(), 2u);
}

TEST(PoolSimulation, Ramp) {
  Simulation ramp("ramp", kSimulated, [](double t) { return std::min(t, 120.0); });
  ramp.run(150s);
  expect_in_order(ramp, kSimulated);
  EXPECT_GE(ramp.most, 13u);
  EXPECT_EQ(ramp.shrinks, 0u);
  EXPECT_LE(ramp.longest_wait, 0.2) << "the spare worker is started before it is needed";
}

TEST(PoolSimulation, Sawtooth) {
  Simulation sawtooth("sawtooth", kSimulated,
                      [](double t) { return 10 + 100 * std::fmod(t, 15) / 15; });
  sawtooth.run(150s);
  expect_in_order(sawtooth, kSimulated);
  EXPECT_EQ(sawtooth.shrinks, 0u) << "the teeth are closer than idle: no flapping";
  EXPECT_LE(sawtooth.growths, 14u);
}

TEST(PoolSimulation, WideSawtoothFollowsButDoesNotFlap) {
  Simulation sawtooth("wide sawtooth", kSimulated,
                      [](double t) { return std::fmod(t, 60) < 30 ? 100.0 : 5.0; });
  sawtooth.run(240s);
  expect_in_order(sawtooth, kSimulated);
  EXPECT_LE(sawtooth.turns, 7u) << "one up and one down for each of four teeth";
}

TEST(PoolSimulation, IdleEndsEveryWorkerAndTheFirstRequestStartsOne) {
  constexpr Workers kLazy{0, 8, 0, 20s};
  Simulation idle("on demand", kLazy,
                  [](double t) { return (t >= 10 && t < 30) || (t >= 80 && t < 90) ? 5.0 : 0.0; });
  idle.run(150s);
  expect_in_order(idle, kLazy);
  EXPECT_EQ(idle.least, 0u);
  EXPECT_EQ(idle.sizes.front(), 0u);
  EXPECT_EQ(idle.sizes[700], 0u);
  EXPECT_GE(idle.sizes[850], 1u);
  EXPECT_EQ(idle.sizes.back(), 0u);
  EXPECT_LE(idle.longest_wait, 1.5) << "a start";
}

}  // namespace
}  // namespace viaduct::daemon::master
