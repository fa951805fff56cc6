#include "daemon/bridge/control.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "daemon/bridge/dispatch/lanes.hpp"
#include "daemon/channel/hand_over.hpp"

namespace viaduct::daemon::bridge {

using channel::Message;
using channel::Type;

namespace {

// Descriptors from a predecessor that wait to be closed.
constexpr std::size_t kMaxRefused = 1024;

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
                 int channel, int reports, const std::vector<int>& listeners)
    : settings_(settings),
      log_(log),
      use_{.memory = {.policy = {.limit = settings.limits.memory,
                                 .threads = settings.threads,
                                 .connections = settings.limits.connections,
                                 .unread = settings.unread},
                      .give_back = Footprint::trim,
                      .footprint = [this] { return footprint_.growth(); }},
           .clients = ClientCounts(settings.limits.connections_per_client),
           .spool = Spool(settings.spool, settings.limits.spool)},
      apps_(share(settings)),
      threads_(make_threads(scores, listeners)),
      channel_(threads_.front()->reactor().executor(), channel),
      predecessor_(threads_.front()->reactor().executor()),
      outbox_(threads_.front()->reactor(), reports),
      loads_(settings.apps.size()),
      drained_(threads_.size()) {
  for (const config::BridgeApp& app : settings.apps) guards_.emplace_back(app.poison);
  for (const int listener : listeners) listening_.push_back(channel::describe_listening(listener));
}

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
}

void Control::run() {
  add_servers();
  await(channel_, &Control::receive_master);
  Message started;
  started.type = Type::started;
  outbox_.send(started);
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
  while (const auto received = channel::receive(channel_.native_handle(), closer_, error)) {
    handle(*received);
    if (stopped_) return;
  }
  if (!error) return;
  log_.error("the master is gone", {{"error", error.message()}});
  stop_all();
}

// Some at a time, so that requests are served in between however fast they come.
void Control::receive_predecessor() {
  constexpr int kBatch = 64;
  std::error_code error;
  for (int i = 0; i < kBatch && predecessor_.is_open(); ++i) {
    auto received = channel::receive_connection(predecessor_.native_handle(), closer_, error);
    if (!received) break;
    adopt(std::move(*received));
  }
  if (error) leave_predecessor(error == std::errc::bad_message ? error.message() : "");
}

void Control::adopt(channel::HandedOver handed) {
  auto listener = std::find_if(
      listening_.begin(), listening_.end(),
      [&handed](const auto& candidate) { return candidate.identity == handed.listener; });
  // Another socket may have taken its place, at the same address.
  if (listener == listening_.end()) {
    listener = std::find_if(listening_.begin(), listening_.end(), [&](const auto& candidate) {
      return channel::origin_of(candidate, handed.connection.get()) == channel::Origin::listener;
    });
  }
  // Where the configuration has dropped the listener, the connection is closed.
  if (listener == listening_.end()) return refuse(std::move(handed.connection));
  // Twice the limit, since this bridge may have accepted as many already.
  const auto most = 2 * static_cast<std::int64_t>(settings_.limits.connections);
  if (use_.connections.load(std::memory_order_relaxed) >= most) {
    return refuse(std::move(handed.connection));
  }
  switch (channel::origin_of(*listener, handed.connection.get())) {
    case channel::Origin::listener:
      break;
    case channel::Origin::foreign:
      leave_predecessor("a socket that is none of the listener's");
      [[fallthrough]];
    case channel::Origin::disconnected:
      return refuse(std::move(handed.connection));
  }
  const std::size_t index = next_adopter_++ % threads_.size();
  adopting_.fetch_add(1, std::memory_order_relaxed);
  threads_[index]->reactor().post(
      [this, index, listener = listener->identity, descriptor = handed.connection.release()] {
        threads_[index]->adopt(listener, UniqueFd(descriptor));
        // The last tick of the thread did not see it.
        drained_[index] = false;
        adopting_.fetch_sub(1, std::memory_order_release);
      });
}

// One that lingers holds up those behind it.
void Control::refuse(UniqueFd connection) {
  closer_.close(std::move(connection));
  if (closer_.waiting() > kMaxRefused) leave_predecessor("too many that are refused");
}

// Closing refuses the predecessor more at once, and closes the connections that are still queued in
// the socket. `why`: "" at its end.
void Control::leave_predecessor(std::string_view why) {
  if (!predecessor_.is_open()) return;
  if (!why.empty()) {
    log_.error("connections are not taken over any more", {{"reason", std::string(why)}});
  }
  hand_over_closer_.close(UniqueFd(predecessor_.release()));
  share_plain_workers();
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
      remove_worker(message, UniqueFd(received.descriptor));
      break;
    case Type::app_state:
      apps_[message.app]->state = message.state;
      apps_[message.app]->retry_after = message.count;
      on_every_thread([app = message.app](Thread& t) { t.app(app).state_changed(); });
      break;
    case Type::log_target:
      take_log(message, UniqueFd(received.descriptor));
      break;
    case Type::accept:
      on_every_thread([](Thread& t) { t.accept(); });
      accepting_ = true;
      share_plain_workers();
      break;
    case Type::adopt:
      if (predecessor_.is_open()) hand_over_closer_.close(UniqueFd(predecessor_.release()));
      predecessor_.assign(received.descriptor);
      share_plain_workers();
      await(predecessor_, &Control::receive_predecessor);
      break;
    case Type::drain:
      drain(received.descriptor);
      break;
    case Type::listener:
      replace_listener(message.count, UniqueFd(received.descriptor));
      break;
    case Type::list_requests:
      list_requests(message, UniqueFd(received.descriptor));
      break;
    default:
      log_.error("unexpected message from the master",
                 {{"type", static_cast<std::uint32_t>(message.type)}});
      break;
  }
}

// Each thread has a copy of its own.
void Control::replace_listener(std::size_t index, UniqueFd socket) {
  if (index >= listening_.size() || !socket) return;
  listening_[index] = channel::describe_listening(socket.get());
  for (const auto& thread : threads_) {
    UniqueFd copy(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) {
      log_.error("a listener cannot be replaced", {{"error", std::strerror(errno)}});
      continue;
    }
    thread->reactor().post([&thread = *thread, index, own = copy.release()] {
      thread.replace_listener(index, UniqueFd(own));
    });
  }
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
  threads_.front()->reactor().post([this, message] { outbox_.send(message); });
}

void Control::on_every_thread(const std::function<void(Thread&)>& work) {
  for (const auto& thread : threads_) {
    thread->reactor().post([work, &thread = *thread] { work(thread); });
  }
}

// ---- logs

void Control::take_log(const Message& message, UniqueFd descriptor) {
  if (message.target == channel::LogTarget::access) {
    if (message.app >= threads_.size()) return;
    Thread& thread = *threads_[message.app];
    thread.reactor().post(
        [&thread, own = descriptor.release()] { thread.access_log().write_to(UniqueFd(own)); });
    return;
  }
  if (message.app >= apps_.size()) return;
  const log::Log& log = logs_.emplace_back(log::Settings{.level = log::Level::debug,
                                                         .format = log_format(settings_.log.format),
                                                         .descriptor = descriptor.release()});
  const bool slow = message.target == channel::LogTarget::slow;
  on_every_thread([app = message.app, slow, &log](Thread& thread) {
    if (slow) {
      thread.app(app).slow_log().use(log);
    } else {
      thread.app(app).use_log(log);
    }
  });
}

// A bridge that is still to accept, or whose predecessor has requests left, uses plain workers
// beside another one: neither may keep their connections then.
void Control::share_plain_workers() {
  const bool alone = accepting_ && !draining_ && !predecessor_.is_open();
  on_every_thread([alone](Thread& t) { t.keep_connections(alone); });
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
  const auto accepting = std::make_shared<std::atomic<std::size_t>>(threads_.size());
  on_every_thread([this, hand_over, accepting](Thread& t) {
    t.drain(hand_over);
    if (accepting->fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    Message message;
    message.type = Type::left;
    send(message);
  });
}

void Control::tick() {
  drained_[0] = threads_.front()->drained();
  report();
  open_routes();
  remove_idle_servers();
  // Connections that a predecessor has sent, or is still to send, have to be passed on.
  if (!draining_ || predecessor_.is_open() || adopting_.load(std::memory_order_acquire) > 0) return;
  if (!std::all_of(drained_.begin(), drained_.end(), [](const auto& d) { return d.load(); }))
    return;
  Message message;
  message.type = Type::drained;
  outbox_.send(message);
  stop_all();
}

void Control::stop_all() {
  stopped_ = true;
  for (const auto& thread : threads_) thread->stop();
}

}  // namespace viaduct::daemon::bridge
