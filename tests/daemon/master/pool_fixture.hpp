#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "daemon/master/app_pool.hpp"
#include "daemon/master/cgroup_tree.hpp"
#include "daemon/master/children.hpp"
#include "daemon/master/context.hpp"
#include "daemon/master/log_copier.hpp"
#include "daemon/master/log_set.hpp"
#include "daemon/master/remains.hpp"
#include "daemon/master/runtime_directory.hpp"
#include "tests/daemon/master/no_cgroups.hpp"
#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master {

/// A pool of real processes that need no bridge: they are ready once they have lived a moment, and
/// idle as soon as they drain.
class PoolTest : public testing::Test, protected PoolObserver {
 protected:
  static constexpr std::chrono::seconds kPatience{60};

  PoolTest() {
    app.name = "shop";
    app.command = {"/bin/sleep", "100000"};
    app.executable = "/bin/sleep";
    app.directory = "/";
    app.probe = false;
    app.identity.account = account();
  }

  /// Leaves no child to the tests that follow in this process.
  ~PoolTest() override {
    pool.reset();
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
  }

  AppPool& start() {
    pool = std::make_shared<AppPool>(context_, app, static_cast<PoolObserver&>(*this));
    pool->start();
    return *pool;
  }

  /// Runs the event loop until `done`; a test failure when that does not happen.
  void until(const std::function<bool()>& done, const std::string& what) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << what;
      io_.run_one_for(std::chrono::milliseconds(100));
      io_.restart();
    }
  }

  std::size_t count(WorkerState state) const {
    const auto workers = pool->workers();
    return static_cast<std::size_t>(
        std::count_if(workers.begin(), workers.end(),
                      [state](const WorkerView& worker) { return worker.state == state; }));
  }
  void until_ready(std::size_t count_wanted) {
    until(
        [&] {
          return count(WorkerState::ready) == count_wanted &&
                 pool->workers().size() == count_wanted;
        },
        std::to_string(count_wanted) + " ready workers and no others");
  }

  void worker_added(AppPool&, Worker&) override { ++added; }
  void worker_ready(AppPool&, Worker&) override {}
  void worker_draining(AppPool&, Worker& worker) override {
    least_ready = std::min(least_ready, count(WorkerState::ready));
    boost::asio::post(io_, [weak = worker.weak_from_this()] {
      const auto drained = weak.lock();
      if (drained && drained->state() == WorkerState::draining) drained->handle(WorkerEvent::idle);
    });
  }
  void worker_dead(AppPool&, Worker&, int) override {
    least_ready = std::min(least_ready, count(WorkerState::ready));
    ++dead;
  }
  void pool_changed(AppPool&) override {}
  void pool_empty(AppPool&) override {}

  config::AppSettings app;
  unsigned added = 0;                  ///< workers started so far
  unsigned dead = 0;                   ///< and gone
  std::size_t least_ready = SIZE_MAX;  ///< at any time a worker began to leave or was gone

 private:
  static config::Account account() {
    config::Account own;
    own.uid = ::geteuid() == 0 ? 65534 : ::geteuid();
    own.gid = ::geteuid() == 0 ? 65534 : ::getegid();
    own.home = "/";
    return own;
  }

  TemporaryDirectory directory_;
  boost::asio::io_context io_;
  LogSet logs_;
  Children children_{io_};
  RuntimeDirectory runtime_{directory_ / "run", account()};
  CgroupTree cgroups_{no_cgroups()};
  Remains remains_{io_, cgroups_};
  UniqueFd null_{::open("/dev/null", O_RDWR | O_CLOEXEC)};

 protected:
  LogCopier copier_;
  Context context_{.io = io_,
                   .logs = logs_,
                   .copier = copier_,
                   .children = children_,
                   .runtime = runtime_,
                   .cgroups = cgroups_,
                   .remains = remains_,
                   .environment = {},
                   .null = null_.get()};

  std::shared_ptr<AppPool> pool;
};

}  // namespace viaduct::daemon::master
