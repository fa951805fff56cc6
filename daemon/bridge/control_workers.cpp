// What master and dispatchers say of workers, and what the bridge reports of them.
#include <algorithm>
#include <chrono>
#include <utility>

#include "daemon/bridge/control.hpp"

namespace viaduct::daemon::bridge {

using channel::Message;
using channel::Type;

namespace {

constexpr auto kReportInterval = std::chrono::milliseconds(100);

}  // namespace

void Control::add_worker(const Message& message) {
  auto info = std::make_shared<WorkerInfo>();
  info->serial = message.serial;
  info->app = message.app;
  info->pid = message.pid;
  info->slot = message.count;
  info->address = unix_destination(message.path.data());
  info->canary = message.canary != 0;
  info->unread = settings_.apps[message.app].server.unread;
  known_[message.serial] = {info, message.shared != 0};
  info->one_thread = threads_.size() == 1;
  if (settings_.apps[message.app].probe) {
    // The others hear of it once it has answered and it is known what it can do.
    Thread& first = *threads_.front();
    first.reactor().post([&first, info] { first.app(info->app).add(info, true); });
  } else {
    on_every_thread([info](Thread& t) { t.app(info->app).add(info, false); });
  }
}

std::unique_ptr<ServerInfo> Control::server_info(const config::BridgeApp& app,
                                                 std::string name) const {
  auto server = std::make_unique<ServerInfo>(std::move(name), app.server);
  server->connect_timeout = app.timeouts.connect;
  server->own_capacity = !app.concurrency.limit;
  if (app.server.keepalive) {
    const std::uint32_t most = app.concurrency.limit.value_or(config::kServerConcurrency);
    server->keep = std::max(1U, most / static_cast<std::uint32_t>(threads_.size()));
  }
  return server;
}

void Control::answered(const std::shared_ptr<WorkerInfo>& info) {
  threads_.front()->reactor().post([this, info] {
    const auto known = known_.find(info->serial);
    if (known == known_.end()) return;  // it has died since
    for (std::size_t i = 1; i < threads_.size(); ++i) {
      Thread& thread = *threads_[i];
      thread.reactor().post(
          [&thread, info] { thread.app(info->app).add(info, info->multiplexed); });
    }
    if (std::exchange(known->second.shared, true)) return;
    Message ready;
    ready.type = Type::ready;
    ready.app = info->app;
    ready.serial = info->serial;
    ready.count = info->capacity;
    outbox_.send(ready);
  });
}

void Control::replace(const WorkerInfo& info, std::string_view reason) {
  Message message;
  message.type = Type::kill;
  message.app = info.app;
  message.serial = info.serial;
  message.set_reason(reason);
  send(message);
}

void Control::idle(const WorkerInfo& info) {
  if (info.server) return;  // not the master's: see remove_idle_servers
  Message message;
  message.type = Type::worker_idle;
  message.app = info.app;
  message.serial = info.serial;
  send(message);
}

// Only while the master keeps up, so that nothing piles up here: what is left out is reported
// later.
void Control::report() {
  const auto now = threads_.front()->reactor().now();
  if (!outbox_.empty() || now - reported_at_ < kReportInterval) return;
  reported_at_ = now;
  report_requests();
  report_servers();
  const auto busy = busy_by_app();
  for (std::uint32_t i = 0; i < apps_.size(); ++i) report_load(i, busy[i]);
}

void Control::report_requests() {
  for (auto& [serial, known] : known_) {
    const std::uint64_t given = known.info->requests.load(std::memory_order_relaxed);
    if (given == known.reported) continue;
    Message message;
    message.type = Type::requests;
    message.app = known.info->app;
    message.serial = serial;
    message.count = static_cast<std::uint32_t>(given - known.reported);
    known.reported = given;
    outbox_.send(message);
  }
}

void Control::report_servers() {
  for (auto& [serial, server] : servers_) {
    const WorkerInfo& info = *server.info;
    const std::uint64_t given = info.requests.load(std::memory_order_relaxed);
    Message message;
    message.type = Type::server;
    message.app = info.app;
    message.serial = serial;
    message.set_path(info.server->name);
    message.count = static_cast<std::uint32_t>(given - server.requests);
    message.busy = info.active.load(std::memory_order_relaxed);
    const bool up = info.server->health.up();
    message.state = up ? channel::AppState::serving : channel::AppState::failing;
    if (!up) message.set_reason(server.failure);
    if (std::exchange(server.told, true) && message.count == 0 && message.busy == server.active &&
        up == server.up) {
      continue;
    }
    server.requests = given;
    server.active = message.busy;
    server.up = up;
    outbox_.send(message);
  }
}

void Control::server_changed(const std::shared_ptr<WorkerInfo>& info, std::string_view why) {
  threads_.front()->reactor().post([this, serial = info->serial, failure = std::string(why)] {
    const auto known = servers_.find(serial);
    if (known == servers_.end()) return;
    known->second.failure = failure;
    // That it is down may have been reported already, before it was known why.
    known->second.told = false;
  });
}

// What a worker has been given ahead of its turn does not count: it is answered briskly.
std::vector<std::uint32_t> Control::busy_by_app() const {
  std::vector<std::uint32_t> busy(apps_.size());
  for (const auto& [serial, known] : known_) {
    const WorkerInfo& info = *known.info;
    if (info.draining) continue;
    busy[info.app] += std::min(info.active.load(std::memory_order_relaxed), info.capacity);
  }
  // A worker is kept for bodies that are being gathered, but none started: most may never end.
  for (std::size_t i = 0; i < apps_.size(); ++i) {
    if (apps_[i]->gathering.load(std::memory_order_relaxed) > 0) busy[i] = std::max(busy[i], 1U);
  }
  return busy;
}

void Control::report_load(std::uint32_t app, std::uint32_t busy) {
  Message load;
  load.type = Type::demand;
  load.app = app;
  load.count = apps_[app]->queued.load(std::memory_order_relaxed);
  const std::uint32_t delay = apps_[app]->delay_ms.exchange(0, std::memory_order_relaxed);
  if (load.count > 0) load.delay_ms = delay;
  load.busy = busy;
  const Message& last = loads_[app];
  const bool same =
      load.count == last.count && load.busy == last.busy && load.delay_ms == last.delay_ms;
  if (same) return;
  loads_[app] = load;
  outbox_.send(load);
}

void Control::unserved(std::uint32_t app) {
  threads_.front()->reactor().post([this, app] {
    if (outbox_.empty() && loads_[app].count == 0) report_load(app, busy_by_app()[app]);
  });
}

}  // namespace viaduct::daemon::bridge
