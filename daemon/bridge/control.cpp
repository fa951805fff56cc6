#include "daemon/bridge/control.hpp"

#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

#include "daemon/bridge/dispatch/lanes.hpp"
#include "daemon/channel/hand_over.hpp"
#include "daemon/channel/sealed_memory.hpp"

namespace viaduct::daemon::bridge {

using channel::Message;
using channel::Type;

namespace {

constexpr auto kReportInterval = std::chrono::milliseconds(100);

std::vector<std::unique_ptr<SharedApp>> share(const config::BridgeSettings& settings) {
  std::vector<std::unique_ptr<SharedApp>> shared;
  for (const config::BridgeApp& app : settings.apps) {
    shared.push_back(std::make_unique<SharedApp>());
    shared.back()->settings = app;
    shared.back()->lanes = lanes_of(settings, app.name);
  }
  return shared;
}

log::Format log_format(config::LogFormat format) {
  return format == config::LogFormat::json ? log::Format::json : log::Format::text;
}

}  // namespace

Control::Control(const config::BridgeSettings& settings, log::Log& log, Scoreboard& scores,
                 int channel, const std::vector<int>& listeners)
    : settings_(settings),
      log_(log),
      use_{.memory_limit = settings.limits.memory},
      apps_(share(settings)),
      threads_(make_threads(scores, listeners)),
      channel_(threads_.front()->reactor().executor(), channel),
      predecessor_(threads_.front()->reactor().executor()),
      loads_(settings.apps.size()),
      drained_(threads_.size()) {}

std::vector<std::unique_ptr<Thread>> Control::make_threads(Scoreboard& scores,
                                                           const std::vector<int>& listeners) {
  std::vector<std::unique_ptr<Thread>> threads;
  for (unsigned i = 0; i < settings_.threads; ++i) {
    threads.push_back(
        std::make_unique<Thread>(i, settings_, apps_, log_, scores, use_, *this, listeners));
  }
  return threads;
}

Control::~Control() {
  if (successor_ >= 0) ::close(successor_);
  if (access_log_ >= 0) ::close(access_log_);
}

void Control::run() {
  await(channel_, &Control::receive_master);
  Message started;
  started.type = Type::started;
  send_now(started);
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < threads_.size(); ++i) {
    others.emplace_back([this, i] {
      Thread& thread = *threads_[i];
      thread.run([this, i, &thread] { drained_[i] = thread.drained(); });
    });
  }
  threads_.front()->run([this] { tick(); });
  for (std::thread& thread : others) thread.join();
}

// ---- the channel

void Control::await(Reactor::Descriptor& socket, void (Control::*receive)()) {
  socket.async_wait(Reactor::Descriptor::wait_read,
                    [this, &socket, receive](boost::system::error_code error) {
                      if (error || !socket.is_open()) return;
                      Reactor::Event event(threads_.front()->reactor());
                      (this->*receive)();
                      if (socket.is_open() && !stopped_) await(socket, receive);
                    });
}

void Control::receive_master() {
  std::error_code error;
  while (const auto received = channel::receive(channel_.native_handle(), error)) {
    handle(*received);
    if (stopped_) return;
  }
  if (!error) return;
  log_.error("the master is gone", {{"error", error.message()}});
  stop_all();
}

void Control::receive_predecessor() {
  std::error_code error;
  while (auto received = channel::receive_connection(predecessor_.native_handle(), error)) {
    Thread& thread = *threads_[next_adopter_++ % threads_.size()];
    thread.reactor().post(
        [&thread, listener = received->listener, descriptor = received->connection.release()] {
          thread.adopt(listener, UniqueFd(descriptor));
        });
  }
  if (error) predecessor_.close();
}

void Control::handle(const channel::Received& received) {
  const Message& message = received.message;
  switch (message.type) {
    case Type::worker_added:
      add_worker(message);
      break;
    case Type::worker_draining:
      on_every_thread([message](Thread& t) { t.app(message.app).drain(message.serial); });
      break;
    case Type::worker_dead:
      known_.erase(message.serial);
      on_every_thread([message](Thread& t) { t.app(message.app).remove(message.serial); });
      break;
    case Type::app_state:
      apps_[message.app]->state = message.state;
      apps_[message.app]->retry_after = message.count;
      on_every_thread([app = message.app](Thread& t) { t.app(app).state_changed(); });
      break;
    case Type::log_target:
      redirect_log(message, received.descriptor);
      break;
    case Type::accept:
      on_every_thread([](Thread& t) { t.accept(); });
      break;
    case Type::adopt:
      if (predecessor_.is_open()) predecessor_.close();
      predecessor_.assign(received.descriptor);
      await(predecessor_, &Control::receive_predecessor);
      break;
    case Type::drain:
      drain(received.descriptor);
      break;
    case Type::list_requests:
      list_requests(message);
      break;
    default:
      log_.error("unexpected message from the master",
                 {{"type", static_cast<std::uint32_t>(message.type)}});
      break;
  }
}

void Control::add_worker(const Message& message) {
  auto info = std::make_shared<WorkerInfo>();
  info->serial = message.serial;
  info->app = message.app;
  info->pid = message.pid;
  info->slot = message.count;
  info->path = message.path.data();
  info->canary = message.canary != 0;
  known_[message.serial] = {info, message.shared != 0};
  info->keep_plain = threads_.size() == 1;
  if (settings_.apps[message.app].probe) {
    // The others hear of it once it has answered and it is known what it can do.
    Thread& first = *threads_.front();
    first.reactor().post([&first, info] { first.app(info->app).add(info, true); });
  } else {
    on_every_thread([info](Thread& t) { t.app(info->app).add(info, false); });
  }
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
    send_now(ready);
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
    send_now(message);
  }
}

// What a worker has been given ahead of its turn does not count: it is answered briskly.
std::vector<std::uint32_t> Control::busy_by_app() const {
  std::vector<std::uint32_t> busy(apps_.size());
  for (const auto& [serial, known] : known_) {
    const WorkerInfo& info = *known.info;
    if (info.draining) continue;
    busy[info.app] += std::min(info.active.load(std::memory_order_relaxed), info.capacity);
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
  send_now(load);
}

void Control::unserved(std::uint32_t app) {
  threads_.front()->reactor().post([this, app] {
    if (outbox_.empty() && loads_[app].count == 0) report_load(app, busy_by_app()[app]);
  });
}

void Control::wake_others(std::uint32_t app) {
  const std::uint32_t waiting = apps_[app]->waiting_threads.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if ((waiting & (1U << std::min<std::size_t>(i, 31))) == 0) continue;
    Thread& thread = *threads_[i];
    thread.reactor().post([&thread, app] { thread.app(app).pump(); });
  }
}

void Control::send(Message message) {
  threads_.front()->reactor().post([this, message] { send_now(message); });
}

void Control::send_now(const Message& message, UniqueFd descriptor) {
  outbox_.push_back({message, std::move(descriptor)});
  flush_outbox();
}

void Control::flush_outbox() {
  // On failure the next tick tries again: the master's queue is full, or it is gone, which reading
  // tells.
  while (!outbox_.empty() && !channel::send(channel_.native_handle(), outbox_.front().message,
                                            outbox_.front().descriptor.get())) {
    outbox_.pop_front();
  }
}

void Control::on_every_thread(const std::function<void(Thread&)>& work) {
  for (const auto& thread : threads_) {
    thread->reactor().post([work, &thread = *thread] { work(thread); });
  }
}

// ---- requests in flight

void Control::list_requests(const Message& question) {
  struct Parts {
    explicit Parts(std::size_t threads) : missing(threads), by_thread(threads) {}
    std::atomic<std::size_t> missing;
    std::vector<RequestListing> by_thread;
  };
  if (question.app >= apps_.size()) return;
  auto parts = std::make_shared<Parts>(threads_.size());
  Message answer;
  answer.type = Type::listing;
  answer.app = question.app;
  answer.serial = question.serial;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    threads_[i]->reactor().post([this, parts, answer, i, &thread = *threads_[i]] {
      parts->by_thread[i] = thread.requests(answer.app);
      if (parts->missing.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
      threads_.front()->reactor().post(
          [this, parts, answer] { send_requests(answer, std::move(parts->by_thread)); });
    });
  }
}

void Control::send_requests(Message answer, std::vector<RequestListing> parts) {
  const RequestListing listing = merge(std::move(parts));
  answer.count = static_cast<std::uint32_t>(listing.total - listing.oldest.size());
  try {
    send_now(answer, channel::sealed_memory("viaduct-requests", to_json(listing)));
  } catch (const std::system_error& error) {
    log_.error("requests cannot be listed", {{"error", error.what()}});
  }
}

// ---- logs

// The log, if there was none before.
const log::Log* Control::redirect(std::unique_ptr<log::Log>& log, int descriptor) {
  if (log) {
    log->replace_descriptor(descriptor);
    return nullptr;
  }
  log = std::make_unique<log::Log>(log::Settings{.level = log::Level::debug,
                                                 .format = log_format(settings_.log.format),
                                                 .descriptor = descriptor});
  return log.get();
}

void Control::redirect_log(const Message& message, int descriptor) {
  switch (message.target) {
    case channel::LogTarget::log:
      log_.replace_descriptor(descriptor);
      break;
    case channel::LogTarget::app:
      if (const log::Log* log = redirect(app_logs_[message.app], descriptor)) {
        on_every_thread([app = message.app, log](Thread& t) { t.app(app).use_log(*log); });
      }
      break;
    case channel::LogTarget::slow:
      if (const log::Log* log = redirect(slow_logs_[message.app], descriptor)) {
        on_every_thread([app = message.app, log](Thread& t) { t.app(app).slow_log().use(*log); });
      }
      break;
    case channel::LogTarget::access: {
      const int previous = std::exchange(access_log_, descriptor);
      // Closed behind the last thread: posts to one reactor run in order, so when each has passed
      // its own on, none uses the previous descriptor any more.
      auto holder = std::shared_ptr<void>(nullptr, [previous](void*) {
        if (previous >= 0) ::close(previous);
      });
      on_every_thread([descriptor, holder](Thread& t) { t.access_log().redirect(descriptor); });
      break;
    }
  }
}

// ---- the end

void Control::drain(int successor) {
  if (std::exchange(draining_, true)) return;
  successor_ = successor;
  ConnectionList::HandOver hand_over;
  if (successor >= 0) {
    hand_over = [successor](std::uint64_t listener, int descriptor) {
      return !channel::send_connection(successor, listener, descriptor);
    };
  }
  on_every_thread([hand_over](Thread& t) { t.drain(hand_over); });
}

void Control::tick() {
  drained_[0] = threads_.front()->drained();
  flush_outbox();
  report();
  if (!draining_) return;
  if (!std::all_of(drained_.begin(), drained_.end(), [](const auto& d) { return d.load(); }))
    return;
  Message message;
  message.type = Type::drained;
  send_now(message);
  stop_all();
}

void Control::stop_all() {
  stopped_ = true;
  for (const auto& thread : threads_) thread->stop();
}

}  // namespace viaduct::daemon::bridge
