// What a generation tells its bridge.

#include <fcntl.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "daemon/log/log.hpp"
#include "daemon/master/generation.hpp"
#include "daemon/master/log_set.hpp"

namespace viaduct::daemon::master {

using channel::Message;
using channel::Type;

namespace {

UniqueFd copy_of(const ListenerSocket& socket) {
  return UniqueFd(::fcntl(socket.descriptor(), F_DUPFD_CLOEXEC, 0));
}

}  // namespace

std::vector<std::string> Generation::reopen_logs() {
  auto failures = bridge_logs_.reopen();
  for (const std::string& failure : failures) {
    context_.logs.daemon().error("log file cannot be opened", {{"error", failure}});
  }
  return failures;
}

void Generation::report_lost_lines() {
  constexpr std::chrono::seconds kInterval{10};
  const auto now = std::chrono::steady_clock::now();
  if (now < lost_lines_due_) return;
  for (const auto& [key, lines] : bridge_logs_.take_lost()) {
    context_.logs.daemon().error("lines of a log could not be written",
                                 {{"log", key}, {"lines", lines}});
    lost_lines_due_ = now + kInterval;
  }
}

// All that a new bridge has to know. Workers that answered another bridge are not asked with a
// deadline again.
void Generation::introduce() {
  told_.clear();
  bridge_logs_.introduce([this](const Message& message, UniqueFd descriptor) {
    bridge_->send(message, std::move(descriptor));
  });
  for (std::uint32_t i = 0; i < apps_.size(); ++i) {
    send_state(i);
    apps_[i].pool->for_each_worker([&](Worker& worker) {
      const bool ready = worker.state() == WorkerState::ready;
      const bool asks = apps_[i].asks && apps_[i].pool->settings().probe;
      if (ready || (asks && worker.state() == WorkerState::starting)) tell(i, worker, ready);
    });
  }
}

bool Generation::ask_requests(const std::string& app, bool stacks, std::uint64_t question) {
  const auto found = std::find_if(settings_.apps.begin(), settings_.apps.end(),
                                  [&](const auto& known) { return known.name == app; });
  if (!has_bridge() || found == settings_.apps.end()) return false;
  Message message;
  message.type = Type::list_requests;
  message.app = static_cast<std::uint32_t>(found - settings_.apps.begin());
  message.serial = question;
  message.count = stacks ? 1 : 0;
  return bridge_->ask(message);
}

void Generation::worker_added(AppPool& pool, Worker& worker) {
  const std::uint32_t place = place_of(pool);
  if (place < apps_.size() && apps_[place].asks && pool.settings().probe) {
    tell(place, worker, false);
  }
}

void Generation::worker_ready(AppPool& pool, Worker& worker) {
  const std::uint32_t place = place_of(pool);
  if (place < apps_.size()) tell(place, worker, true);
}

void Generation::worker_draining(AppPool& pool, Worker& worker) {
  const std::uint32_t place = place_of(pool);
  if (place < apps_.size() && told_.knows(worker.serial())) {
    send_worker(Type::worker_draining, place, worker, false);
  }
}

bool Generation::worker_dead(AppPool& pool, Worker& worker, int status, bool report) {
  const std::uint32_t place = place_of(pool);
  if (place == apps_.size() || !told_.remove(worker.serial()) || !bridge_) return false;
  Message message;
  message.type = Type::worker_dead;
  message.app = apps_[place].index;
  message.serial = worker.serial();
  message.pid = worker.pid();
  message.status = status;
  message.count = 1;
  if (report && bridge_->ask(message)) return true;
  message.count = 0;
  bridge_->send(message);
  return !report;
}

void Generation::pool_changed(AppPool& pool) {
  const std::uint32_t place = place_of(pool);
  if (place < apps_.size()) send_state(place);
}

void Generation::accept() {
  send(Type::accept);
  if (!has_bridge()) return;
  const auto& sockets = listeners_.sockets();
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    if (!sockets[i]->has_former()) continue;
    // The bridge could not go on from the former one without it.
    UniqueFd copy = copy_of(*sockets[i]);
    if (!copy) continue;
    give_listener(i, sockets[i]->take_former());
    give_listener(i, std::move(copy));
  }
}

void Generation::give_listener(std::size_t index, UniqueFd socket) {
  Message message;
  message.type = Type::listener;
  message.count = static_cast<std::uint32_t>(index);
  bridge_->send(message, std::move(socket));
}

void Generation::renew_listeners() {
  if (!has_bridge()) return;
  const auto& sockets = listeners_.sockets();
  for (std::size_t i = 0; i < sockets.size() && i < given_.size(); ++i) {
    if (given_[i] == sockets[i]->replaced()) continue;
    UniqueFd copy = copy_of(*sockets[i]);
    if (!copy) return;  // the next look tries again
    give_listener(i, std::move(copy));
    given_[i] = sockets[i]->replaced();
  }
}

void Generation::send(Type type, UniqueFd descriptor) {
  Message message;
  message.type = type;
  if (bridge_) return bridge_->send(message, std::move(descriptor));
  context_.closer.close(std::move(descriptor));
}

void Generation::tell(std::uint32_t place, Worker& worker, bool shared) {
  if (!bridge_ || !told_.add(worker.serial(), !shared)) return;
  send_worker(Type::worker_added, place, worker, shared);
}

void Generation::send_worker(Type type, std::uint32_t place, Worker& worker, bool shared) {
  Message message;
  message.type = type;
  message.app = apps_[place].index;
  message.canary = apps_[place].canary ? 1 : 0;
  message.serial = worker.serial();
  message.pid = worker.pid();
  message.count = worker.slot();
  message.shared = shared ? 1 : 0;
  message.set_path(worker.socket_path());
  if (bridge_) bridge_->send(message);
}

void Generation::send_state(std::uint32_t place) {
  const GenerationApp& app = apps_[place];
  if (app.canary) return;
  Message message;
  message.type = Type::app_state;
  message.app = app.index;
  message.state = app.pool->state();
  message.count = app.pool->retry_after();
  if (bridge_) bridge_->send(message);
}

}  // namespace viaduct::daemon::master
