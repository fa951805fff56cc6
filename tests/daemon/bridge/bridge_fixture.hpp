#pragma once

#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_process.hpp"
#include "tests/daemon/bridge/fake_worker.hpp"
#include "tests/daemon/bridge/front_client.hpp"
#include "tests/daemon/bridge/stage.hpp"

namespace viaduct::daemon::bridge::testing {

/// A bridge between scripted front servers and scripted workers, with the test as its master.
///
/// Listener 0 speaks FastCGI, 1 SCGI, 2 HTTP, 3 uwsgi; all lead to the app "shop". Change
/// `settings` before start(). The bridge has to end cleanly, and without a word of a sanitizer, in
/// every test.
class BridgeTest : public ::testing::Test {
 protected:
  BridgeTest();
  ~BridgeTest() override;
  void TearDown() override;

  /// Opens the listening sockets, as start() does where that has not been done.
  void listen();
  /// Starts the bridge, which accepts connections from then on; workers are being started.
  void start();
  /// A second bridge on the same listening sockets, not accepting yet.
  std::unique_ptr<BridgeProcess> spawn();

  /// Starts a worker and tells the bridge of it; returns once it is ready.
  FakeWorker& add_worker(const WorkerOptions& options = {});
  /// The same, in two steps.
  FakeWorker& make_worker(const WorkerOptions& options);
  void announce(BridgeProcess& bridge, const FakeWorker& worker, bool shared = false);
  /// It dies, and the master says so. `status`: of waitpid.
  void kill_worker(FakeWorker& worker, int status = SIGKILL);
  void say(channel::Type type, int descriptor = -1);
  void say_state(channel::AppState state, std::uint32_t retry_after = 0);

  std::unique_ptr<FrontClient> connect();
  std::unique_ptr<ScgiClient> connect_scgi();
  [[nodiscard]] std::string socket_path(std::size_t listener) const;

  /// Serves everything until `done`; a test failure when that does not happen.
  void until(const std::function<bool()>& done, std::string_view what);
  [[nodiscard]] AppScore& score() { return bridge_->scores().apps[0]; }
  [[nodiscard]] BridgeProcess& bridge() { return *bridge_; }
  /// The bridge ends as it should.
  void expect_clean_exit(BridgeProcess& process);

  config::BridgeSettings settings;
  Stage stage;
  TempDir directory;
  std::vector<int> listeners;  ///< the listening sockets, by listener

 private:
  std::unique_ptr<BridgeProcess> bridge_;
  std::vector<std::unique_ptr<FakeWorker>> workers_;
};

inline config::BridgeApp& shop(config::BridgeSettings& settings) {
  return settings.apps.front();
}

}  // namespace viaduct::daemon::bridge::testing
