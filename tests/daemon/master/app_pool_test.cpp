#include "daemon/master/app_pool.hpp"

#include <signal.h>

#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/daemon/master/pool_fixture.hpp"

namespace viaduct::daemon::master {
namespace {

TEST_F(PoolTest, ScalesByHandUpAndDown) {
  app.workers = {2, 2};
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
  app.workers = {1, 1};
  start();
  EXPECT_EQ(pool->scale(0), "shop: expected a number of workers from 1 to 1024");
  EXPECT_EQ(pool->scale(config::kMaxWorkers + 1),
            "shop: expected a number of workers from 1 to 1024");
  EXPECT_EQ(pool->size(), 1u);
  pool->retire();
  EXPECT_EQ(pool->scale(1), "shop: is being stopped");
}

TEST_F(PoolTest, AnUpdateEndsWhatWasScaledByHand) {
  app.workers = {2, 2};
  start();
  pool->scale(3);
  pool->update(app);
  EXPECT_EQ(pool->size(), 2u);
  until_ready(2);
}

TEST_F(PoolTest, AnotherPoolCanBeScaledLikeIt) {
  app.workers = {1, 1};
  AppPool& former = start();
  EXPECT_FALSE(former.scaled());
  ASSERT_FALSE(former.scale(3));
  EXPECT_TRUE(former.scaled());
  AppPool next(context_, app, static_cast<PoolObserver&>(*this));
  next.scale_like(former);
  EXPECT_TRUE(next.scaled());
  EXPECT_EQ(next.range(), (config::Workers{3, 3}));
  next.update(app);
  EXPECT_FALSE(next.scaled());
}

TEST_F(PoolTest, FailureOfAStartHasTheLastLineOfTheProgram) {
  struct Row {
    const char* script;
    const char* failure;
  };
  const Row rows[] = {
      {"echo first >&2; echo 'cannot open: x' >&2; echo >&2; exit 3",
       "shop/1: exited with status 3 before it was ready; it wrote last: \"cannot open: x\""},
      {"exit 3", "shop/1: exited with status 3 before it was ready"},
  };
  app.workers = {1, 1};
  for (const Row& row : rows) {
    app.command = {"/bin/sh", "-c", row.script};
    app.executable = "/bin/sh";
    start();
    until([&] { return pool->has_failed(); }, "it fails");
    EXPECT_EQ(pool->failure(), row.failure);
    pool->retire();
    until([&] { return pool->empty(); }, "it is gone");
  }
}

TEST_F(PoolTest, ServersThatOthersRunAreThereAtOnceAndNeverProcesses) {
  app.command.clear();
  app.executable.clear();
  app.workers = {.min = 0, .max = 0};
  app.connect = {{config::Address::Kind::unix_path, "/run/legacy.sock", 0}};
  start();
  EXPECT_EQ(pool->state(), channel::AppState::serving);
  EXPECT_TRUE(pool->settled());
  pool->set_load({.busy = 32, .queued = 100, .delay = std::chrono::seconds(1)});
  EXPECT_EQ(pool->scale(2), "shop: others run its servers (connect)");
  EXPECT_EQ(pool->state(), channel::AppState::serving);
  EXPECT_EQ(pool->size(), 0u);
  EXPECT_EQ(added, 0u);
  pool->retire();
  EXPECT_TRUE(pool->finished());
}

TEST_F(PoolTest, StartsAsLargeAsItsPredecessorWithinItsRange) {
  const std::pair<std::size_t, std::size_t> rows[] = {{0, 1}, {1, 1}, {2, 2}, {3, 3}, {4, 3}};
  app.workers = {1, 3};
  for (const auto& [predecessor, size] : rows) {
    pool = std::make_shared<AppPool>(context_, app, static_cast<PoolObserver&>(*this));
    pool->start(predecessor);
    EXPECT_EQ(pool->size(), size) << predecessor;
  }
}

TEST_F(PoolTest, ScalingARangeSetsItsLowerEnd) {
  app.workers = {1, 3};
  start();
  EXPECT_EQ(pool->scale(2), std::nullopt);
  EXPECT_EQ(pool->size(), 2u);
  EXPECT_EQ(pool->scale(9), std::nullopt);
  EXPECT_EQ(pool->size(), 3u);
  EXPECT_EQ(pool->scale(0), "shop: expected a number of workers from 1 to 1024");
  app.workers = {0, 3};
  pool->update(app);
  EXPECT_EQ(pool->scale(0), std::nullopt);
  EXPECT_EQ(pool->size(), 3u) << "shrinks when it has been idle";
}

TEST_F(PoolTest, IsReachableWhileEachWorkerThatServesHasItsSocket) {
  app.workers = {.min = 2, .max = 2};
  start();
  EXPECT_TRUE(pool->reachable());
  until_ready(2);
  EXPECT_TRUE(pool->reachable());
  context_.runtime.remove_worker_socket(pool->workers().back().serial);
  EXPECT_FALSE(pool->reachable());
}

TEST_F(PoolTest, ShowsEveryWorker) {
  app.workers = {2, 2};
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

TEST_F(PoolTest, GrowsWithTheLoadUpToItsMost) {
  app.workers = {1, 4};
  start();
  until_ready(1);
  until(
      [&] {
        pool->set_load({1, 100, std::chrono::seconds(1)});
        return pool->size() == 4;
      },
      "four places");
  until_ready(4);
  pool->set_load({});
  EXPECT_EQ(pool->size(), 4u) << "until it has been idle";
}

TEST_F(PoolTest, StartsOnDemandAndEndsWhenIdle) {
  app.workers = {0, 2, 0, std::chrono::seconds(1)};
  start();
  EXPECT_EQ(pool->size(), 0u);
  EXPECT_EQ(pool->state(), channel::AppState::idle);
  EXPECT_TRUE(pool->settled());
  EXPECT_TRUE(pool->all_ready());
  pool->set_load({0, 1, std::chrono::milliseconds(0)});
  EXPECT_EQ(pool->state(), channel::AppState::starting);
  until_ready(1);
  pool->set_load({});
  until([&] { return pool->workers().empty(); }, "nobody is left");
  EXPECT_EQ(pool->state(), channel::AppState::idle);
}

TEST_F(PoolTest, OneThatFailsGoesOnTryingAndHeals) {
  app.workers = {0, 4};
  app.executable = "/bin/false";
  start();
  pool->set_load({0, 100, std::chrono::milliseconds(0)});
  until([&] { return pool->state() == channel::AppState::failing; }, "it fails");
  EXPECT_GE(pool->retry_after(), 1u);
  EXPECT_TRUE(pool->settled());
  EXPECT_TRUE(pool->failing());
  until([&] { return pool->state() == channel::AppState::starting; }, "it is tried again");
  EXPECT_TRUE(pool->failing()) << "which does not make it well";
  until([&] { return pool->state() == channel::AppState::failing; }, "it fails again");
  pool->set_load({0, 100, std::chrono::seconds(1)});
  EXPECT_EQ(pool->size(), 1u) << "more would fail as well";
  pool->set_load({});
  EXPECT_EQ(pool->size(), 1u);
  app.executable = "/bin/sleep";
  pool->update(app);
  until([&] { return pool->state() == channel::AppState::serving; }, "it is well again");
  EXPECT_FALSE(pool->failing());
}

class Recycling : public PoolTest {
 protected:
  Worker& worker(std::size_t index) { return *pool->find(pool->workers()[index].serial); }
  bool present(std::uint64_t serial) const { return pool->find(serial) != nullptr; }
};

TEST_F(Recycling, ReadyCapacityNeverDips) {
  app.workers = {2, 2};
  app.limits.requests = 10;
  start();
  until_ready(2);
  least_ready = SIZE_MAX;
  for (int round = 0; round < 3; ++round) {
    const auto before = pool->workers();
    pool->add_requests(worker(0), 8);
    EXPECT_EQ(pool->workers().size(), 2u) << "below the limit";
    pool->add_requests(worker(0), 2);
    EXPECT_EQ(pool->workers().size(), 3u);
    EXPECT_TRUE(pool->all_ready());
    pool->add_requests(worker(1), 10);
    EXPECT_EQ(pool->workers().size(), 3u) << "one at a time";
    until([&] { return !present(before[0].serial) && !present(before[1].serial); },
          "both are replaced");
    until_ready(2);
  }
  EXPECT_EQ(least_ready, 2u);
  EXPECT_EQ(added, 8u);
}

TEST_F(Recycling, TheOldestIsNextHoweverBusyTheOthersAre) {
  app.workers = {2, 2};
  app.limits.requests = 1;
  start();
  until_ready(2);
  const auto before = pool->workers();
  for (std::size_t round = 0; round < 2; ++round) {
    pool->add_requests(worker(0), 1);
    pool->add_requests(worker(1), 1);
    until([&] { return !present(before[round].serial); }, "it is replaced");
    pool->add_requests(*pool->find(pool->workers().back().serial), 1);
  }
}

TEST_F(Recycling, ByAgeAndByMemory) {
  for (const bool by_age : {true, false}) {
    SCOPED_TRACE(by_age);
    app.workers = {2, 2};
    app.limits.age = std::chrono::milliseconds(by_age ? 1000 : 0);
    app.limits.memory = by_age ? 0 : 1;
    start();
    until_ready(2);
    const auto before = pool->workers();
    least_ready = SIZE_MAX;
    until([&] { return !present(before[0].serial) && !present(before[1].serial); },
          "both are replaced");
    EXPECT_EQ(least_ready, 2u);
    pool->retire();
    until([&] { return pool->finished(); }, "all are gone");
  }
}

TEST_F(Recycling, AFailingReplacementDoesNotTakeTheWorkerAway) {
  app.workers = {1, 1};
  app.limits.requests = 1;
  start();
  until_ready(1);
  const std::uint64_t old = worker(0).serial();
  app.executable = "/bin/false";
  pool->update(app);
  pool->add_requests(worker(0), 1);
  until([&] { return dead == 2; }, "two replacements fail");
  EXPECT_EQ(pool->state(), channel::AppState::serving);
  ASSERT_TRUE(present(old));
  EXPECT_EQ(pool->find(old)->state(), WorkerState::ready);
  EXPECT_EQ(least_ready, 1u);
  app.executable = "/bin/sleep";
  pool->update(app);
  until([&] { return !present(old); }, "the third one takes over");
  EXPECT_EQ(least_ready, 1u);
}

TEST_F(Recycling, OneThatDiesIsFollowedByTheReplacementOnItsWay) {
  app.workers = {1, 1};
  app.limits.requests = 1;
  start();
  until_ready(1);
  pool->add_requests(worker(0), 1);
  EXPECT_EQ(added, 2u);
  worker(0).kill();
  until_ready(1);
  EXPECT_EQ(added, 2u);
}

TEST_F(Recycling, AReplacementOnItsWayEndsWithItsPlace) {
  app.workers = {2, 2};
  app.limits.requests = 1;
  start();
  until_ready(2);
  pool->add_requests(worker(1), 1);
  EXPECT_EQ(pool->workers().size(), 3u);
  pool->scale(1);
  until_ready(1);
  EXPECT_EQ(pool->workers()[0].slot, 1u);
}

class WorkerCrashTest : public PoolTest {
 protected:
  void worker_dead(AppPool& dying, Worker& worker, int status) override {
    if (!report) report = worker.crash();
    PoolTest::worker_dead(dying, worker, status);
  }
  // A worker that is ready, and then does that.
  void run(const std::string& script) {
    app.workers = {1, 1};
    app.executable = "/bin/sh";
    const std::string go = signals_ / "go";
    app.command = {"/bin/sh", "-c", "until [ -e " + go + " ]; do sleep 0.05; done; " + script};
    start();
    until_ready(1);
    std::ofstream(go) << "go";
    until([&] { return dead > 0; }, "the worker ends");
  }

  std::optional<CrashReport> report;

 private:
  TemporaryDirectory signals_;
};

TEST_F(WorkerCrashTest, ReportHasWhatTheWorkerLeaves) {
  run("echo 'viaduct-crash: SIGSEGV here' >&2; echo last words >&2; ulimit -c 0; kill -SEGV $$");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->app, "shop");
  EXPECT_EQ(report->worker, "shop/1");
  EXPECT_GT(report->pid, 1);
  EXPECT_EQ(report->status & 0x7f, SIGSEGV);
  EXPECT_GT(report->uptime.count(), 0);
  EXPECT_EQ(report->notes, std::vector<std::string>{"SIGSEGV here"});
  EXPECT_EQ(report->written, std::vector<std::string>{"last words"});
}

TEST_F(WorkerCrashTest, CoreLimitIsThatOfTheApp) {
  app.isolation.core = 4096;
  run("exit 3");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->status, 3 << 8);
  EXPECT_EQ(report->core_limit, 4096u);
}

TEST_F(WorkerCrashTest, KilledFromOutsideItHasNotCrashed) {
  run("kill -KILL $$");
  EXPECT_FALSE(report);
}

}  // namespace
}  // namespace viaduct::daemon::master
