#include "tests/daemon/bridge/bridge_fixture.hpp"

#include <sys/wait.h>
#include <unistd.h>

namespace viaduct::daemon::bridge::testing {

using channel::Message;
using channel::Type;

BridgeTest::BridgeTest() {
  settings.log.level = config::LogLevel::debug;
  settings.sandbox = config::SandboxMode::required;
  config::BridgeApp app;
  app.name = "shop";
  // Nothing is taken back because this process was not scheduled.
  app.server.unread = std::chrono::hours(1);
  settings.apps.push_back(app);
  using P = config::FrontProtocol;
  for (const auto protocol : {P::fastcgi, P::scgi, P::http, P::uwsgi}) {
    config::BridgeListener listener;
    listener.protocol = protocol;
    listener.routes.push_back({.path = "/", .mount = false, .app = "shop"});
    settings.listeners.push_back(listener);
  }
}

BridgeTest::~BridgeTest() {
  for (const int listener : listeners) ::close(listener);
}

void BridgeTest::TearDown() {
  if (!bridge_) return;
  bridge_->leave();
  expect_clean_exit(*bridge_);
  if (HasFailure()) std::fprintf(stderr, "--- the bridge said\n%s---\n", bridge_->log().c_str());
}

void BridgeTest::expect_clean_exit(BridgeProcess& process) {
  const auto status = process.wait_exit();
  ASSERT_TRUE(status.has_value()) << "the bridge does not end";
  EXPECT_TRUE(WIFEXITED(*status) && WEXITSTATUS(*status) == 0) << "status " << *status;
  EXPECT_EQ(process.log_count("Sanitizer"), 0u) << process.log();
  EXPECT_EQ(process.log_count("runtime error"), 0u) << process.log();
}

void BridgeTest::listen() {
  for (std::size_t i = 0; i < settings.listeners.size(); ++i) {
    settings.listeners[i].address = {config::Address::Kind::unix_path, socket_path(i), 0};
    listeners.push_back(listen_at(socket_path(i)));
  }
}

void BridgeTest::start() {
  if (listeners.empty()) listen();
  bridge_ = spawn();
  ASSERT_TRUE(bridge_->wait_for(Type::started)) << bridge_->log();
  say(Type::accept);
}

std::unique_ptr<BridgeProcess> BridgeTest::spawn() {
  return std::make_unique<BridgeProcess>(stage, settings, listeners);
}

FakeWorker& BridgeTest::add_worker(const WorkerOptions& options) {
  FakeWorker& worker = make_worker(options);
  const std::size_t before = bridge_->count(Type::ready);
  announce(*bridge_, worker);
  EXPECT_TRUE(bridge_->wait_for(Type::ready, before + 1)) << "the worker is not ready";
  say_state(channel::AppState::serving);
  return worker;
}

FakeWorker& BridgeTest::make_worker(const WorkerOptions& options) {
  const std::uint64_t serial = workers_.size() + 1;
  const std::string path = directory.file("worker" + std::to_string(serial));
  workers_.push_back(std::make_unique<FakeWorker>(stage, path, options));
  workers_.back()->serial = serial;
  return *workers_.back();
}

void BridgeTest::announce(BridgeProcess& process, const FakeWorker& worker, bool shared) {
  Message message;
  message.type = Type::worker_added;
  message.serial = worker.serial;
  message.pid = 1000 + static_cast<int>(worker.serial);
  message.count = static_cast<std::uint32_t>(worker.serial);
  message.shared = shared ? 1 : 0;
  message.canary = worker.options().canary ? 1 : 0;
  message.set_path(worker.path());
  process.send(message);
}

void BridgeTest::kill_worker(FakeWorker& worker, int status) {
  worker.die();
  Message message;
  message.type = Type::worker_dead;
  message.serial = worker.serial;
  message.status = status;
  bridge_->send(message);
}

void BridgeTest::say(Type type, int descriptor) {
  Message message;
  message.type = type;
  bridge_->send(message, descriptor);
}

void BridgeTest::say_state(channel::AppState state, std::uint32_t retry_after) {
  Message message;
  message.type = Type::app_state;
  message.state = state;
  message.count = retry_after;
  bridge_->send(message);
}

std::unique_ptr<FrontClient> BridgeTest::connect() {
  return std::make_unique<FrontClient>(stage, socket_path(0));
}

std::unique_ptr<ScgiClient> BridgeTest::connect_scgi() {
  return std::make_unique<ScgiClient>(stage, socket_path(1));
}

std::string BridgeTest::socket_path(std::size_t listener) const {
  return directory.file("front" + std::to_string(listener));
}

void BridgeTest::until(const std::function<bool()>& done, std::string_view what) {
  ASSERT_TRUE(stage.run_until(done)) << what;
}

}  // namespace viaduct::daemon::bridge::testing
