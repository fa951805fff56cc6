#include "daemon/master/app_pool.hpp"

#include <signal.h>

#include <gtest/gtest.h>

#include "tests/daemon/master/pool_fixture.hpp"

namespace viaduct::daemon::master {
namespace {

TEST_F(PoolTest, ScalesByHandUpAndDown) {
  app.workers = 2;
  start();
  until_ready(2);
  EXPECT_EQ(pool->scale(4), std::nullopt);
  EXPECT_EQ(pool->size(), 4u);
  until_ready(4);
  least_ready = SIZE_MAX;
  EXPECT_EQ(pool->scale(1), std::nullopt);
  until_ready(1);
  EXPECT_EQ(least_ready, 1u);
}

TEST_F(PoolTest, ScalesBetweenOneAndTheMost) {
  app.workers = 1;
  start();
  EXPECT_EQ(pool->scale(0), "shop: expected a number of workers from 1 to 1024");
  EXPECT_EQ(pool->scale(config::kMaxWorkers + 1),
            "shop: expected a number of workers from 1 to 1024");
  EXPECT_EQ(pool->size(), 1u);
  pool->retire();
  EXPECT_EQ(pool->scale(1), "shop: is being stopped");
}

TEST_F(PoolTest, AnUpdateEndsWhatWasScaledByHand) {
  app.workers = 2;
  start();
  pool->scale(3);
  pool->update(app);
  EXPECT_EQ(pool->size(), 2u);
  until_ready(2);
}

TEST_F(PoolTest, ShowsEveryWorker) {
  app.workers = 2;
  start();
  until_ready(2);
  const WorkerView first = pool->workers().front();
  pool->find(first.serial)->add_requests(3);
  pool->find(first.serial)->add_requests(4);
  const auto views = pool->workers();
  ASSERT_EQ(views.size(), 2u);
  EXPECT_LT(views[0].serial, views[1].serial);
  EXPECT_EQ(views[0].slot, 1u);
  EXPECT_EQ(views[1].slot, 2u);
  EXPECT_EQ(views[0].requests, 7u);
  EXPECT_EQ(views[1].requests, 0u);
  for (const WorkerView& view : views) {
    EXPECT_EQ(::kill(view.pid, 0), 0);
    EXPECT_GT(view.memory, 0u);
    EXPECT_GE(view.uptime.count(), 200);
  }
}

}  // namespace
}  // namespace viaduct::daemon::master
