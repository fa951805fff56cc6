#include "sdk/src/runtime/fiber.hpp"

#include <csignal>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sdk/src/runtime/fiber_sanitizers.hpp"

namespace viaduct::detail {
namespace {

constexpr std::size_t kStack = 128 * 1024;

TEST(FiberTest, RunsTasksOneAfterTheOther) {
  Fiber fiber(kStack);
  std::string log;
  for (int i = 0; i < 3; ++i) {
    fiber.start([&] {
      log += 'a';
      fiber.suspend();
      log += 'b';
    });
    EXPECT_FALSE(fiber.idle());
    log += '-';
    fiber.resume();
    EXPECT_TRUE(fiber.idle());
  }
  EXPECT_EQ(log, "a-ba-ba-b");
}

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    return thrown.what();
  }
}

// Each fiber waits inside two nested handlers while others do the same, then rethrows both.
void nest(Fiber& fiber, const std::string& name, std::vector<std::string>& seen) {
  try {
    try {
      throw std::runtime_error(name + " outer");
    } catch (...) {
      try {
        throw std::runtime_error(name + " inner");
      } catch (...) {
        fiber.suspend();
        seen.push_back(text_of(std::current_exception()));
        fiber.suspend();
        try {
          throw;
        } catch (const std::exception& inner) {
          seen.emplace_back(inner.what());
        }
      }
      fiber.suspend();
      throw;
    }
  } catch (const std::exception& outer) {
    seen.emplace_back(outer.what());
  }
}

TEST(FiberTest, RethrowsAfterWaitingInsideNestedCatches) {
  constexpr int kFibers = 4;
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<std::vector<std::string>> seen(kFibers);
  for (int i = 0; i < kFibers; ++i) {
    fibers.push_back(std::make_unique<Fiber>(kStack));
    const auto at = static_cast<std::size_t>(i);
    fibers[at]->start([&, at] { nest(*fibers[at], std::to_string(at), seen[at]); });
  }
  EXPECT_EQ(std::current_exception(), nullptr);
  EXPECT_EQ(std::uncaught_exceptions(), 0);
  for (int round = 0; round < 3; ++round) {
    for (int i = kFibers - 1; i >= 0; --i) fibers[static_cast<std::size_t>(i)]->resume();
    EXPECT_EQ(std::current_exception(), nullptr);
  }
  for (std::size_t i = 0; i < kFibers; ++i) {
    const std::string name = std::to_string(i);
    EXPECT_TRUE(fibers[i]->idle());
    EXPECT_EQ(seen[i],
              (std::vector<std::string>{name + " inner", name + " inner", name + " outer"}));
  }
}

TEST(FiberTest, VisitorsLeaveTheTaskWaiting) {
  Fiber fiber(kStack);
  std::string log;
  fiber.start([&] {
    log += 'a';
    try {
      throw std::runtime_error("task");
    } catch (const std::exception& error) {
      fiber.suspend();
      log += error.what();
    }
    fiber.suspend();
    log += 'c';
  });
  const auto visit = [&] {
    fiber.visit([&] {
      EXPECT_EQ(std::uncaught_exceptions(), 0);
      log += 'v';
    });
    EXPECT_FALSE(fiber.idle());
  };
  // More than there would be room for on the stack if anything of a visit stayed.
  for (int i = 0; i < 5000; ++i) visit();
  EXPECT_EQ(log, "a" + std::string(5000, 'v'));
  log.clear();
  try {
    throw std::runtime_error("outside");
  } catch (const std::exception&) {
    visit();
    fiber.resume();
    visit();
    EXPECT_EQ(text_of(std::current_exception()), "outside");
  }
  fiber.resume();
  EXPECT_TRUE(fiber.idle());
  EXPECT_EQ(log, "vtaskvc");
}

TEST(FiberTest, WaitsWhileUnwinding) {
  struct Waits {
    Fiber& fiber;
    int& uncaught;
    ~Waits() {
      fiber.suspend();
      uncaught = std::uncaught_exceptions();
    }
  };
  Fiber fiber(kStack);
  int uncaught = -1;
  bool caught = false;
  fiber.start([&] {
    try {
      const Waits waits{fiber, uncaught};
      throw std::runtime_error("x");
    } catch (const std::runtime_error&) {
      caught = true;
    }
  });
  EXPECT_EQ(std::uncaught_exceptions(), 0);
  fiber.resume();
  EXPECT_EQ(uncaught, 1);
  EXPECT_TRUE(caught);
}

// Uses the stack of its caller up, in frames smaller than the guard page.
int descend(int depth) {
  volatile char frame[512] = {};
  frame[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : descend(depth + 1) + frame[0];
}

TEST(FiberDeathTest, OverflowHitsTheGuardPage) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto overflow = [] {
    Fiber fiber(kStack);
    fiber.start([] { descend(1); });
  };
#if defined(VIADUCT_ASAN) || defined(VIADUCT_TSAN)
  EXPECT_DEATH(overflow(), "stack-overflow|SEGV");
#else
  EXPECT_EXIT(overflow(), ::testing::KilledBySignal(SIGSEGV), "");
#endif
}

}  // namespace
}  // namespace viaduct::detail
