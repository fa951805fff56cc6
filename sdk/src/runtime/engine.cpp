#include "sdk/src/runtime/engine.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <boost/asio/post.hpp>
#include <viaduct/log.hpp>

#include "sdk/src/runtime/codecs.hpp"
#include "sdk/src/runtime/sockets.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

using boost::asio::posix::descriptor_base;

// Large enough for a batch of 64 requests; what one system call costs is spread over them.
constexpr std::size_t kBuffer = 256 * 1024;
// Completions of one turn; handlers must get their turn as well.
constexpr int kCompletions = 16;
constexpr int kAcceptAtOnce = 64;
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::chrono::seconds kLinger{2};
constexpr std::chrono::milliseconds kCloseTogether{20};

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

Engine::Engine(const EngineOptions& options)
    : options_(options),
      ready_to_answer_(options.ready),
      work_(boost::asio::make_work_guard(io_)),
      timer_(io_),
      buffer_(kBuffer),
      tracer_([this](Tracer::Job job, const std::string& text) { traced(std::move(job), text); }) {}

Engine::~Engine() = default;

void Engine::interrupt() {
  boost::asio::post(io_, [] {});
}

bool Engine::wait_until_idle(Clock::time_point until) {
  Lock lock(mutex_);
  return idle_.wait_until(lock, until, [this] { return active_.empty(); });
}

void Engine::turn(Lock& lock, bool block) {
  lock.unlock();
  if (block) io_.run_one();
  for (int i = 0; i < kCompletions && io_.poll_one() > 0; ++i) continue;
  lock.lock();
  if (stops_.empty()) return;
  std::vector<Stop> stops;
  stops.swap(stops_);
  lock.unlock();
  for (Stop& stop : stops) stop.source.request_stop();
  lock.lock();
  // Only now, so that whoever is woken with client_gone finds stop() requested.
  for (const Stop& stop : stops) {
    if (Exchange* const exchange = stop.link->exchanges.find(stop.id)) wake(*exchange);
  }
}

void Engine::add_listener(Listener listener) {
  const Lock lock(mutex_);
  await_connection(*listeners_.emplace_back(std::make_unique<Listener>(std::move(listener))));
}

void Engine::add_connection(int fd, Listener::Protocol protocol) {
  const Lock lock(mutex_);
  add_link(fd, protocol);
}

void Engine::await_connection(Listener& listener) {
  listener.descriptor.async_wait(descriptor_base::wait_read,
                                 [this, &listener](const boost::system::error_code& error) {
                                   if (!error) accept(listener);
                                 });
}

void Engine::accept(Listener& listener) {
  const Lock lock(mutex_);
  if (!listener.descriptor.is_open()) return;
  for (int i = 0; i < kAcceptAtOnce; ++i) {
    if (links_.size() >= kMaxLinks) {
      accepting_paused_ = true;
      return;
    }
    const int fd = listener.accept();
    if (fd >= 0) {
      add_link(fd, listener.protocol);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      const std::string why = std::strerror(errno);
      log_.add(Level::warn, {}, "cannot accept connections for a moment: " + why);
      accepting_paused_ = true;
      schedule(Clock::now() + kAcceptPause);
      return;
    } else if (errno != ECONNABORTED) {
      break;
    }
  }
  await_connection(listener);
}

void Engine::resume_accepting() {
  if (!accepting_paused_ || draining()) return;
  accepting_paused_ = false;
  for (const auto& listener : listeners_) await_connection(*listener);
}

void Engine::add_link(int fd, Listener::Protocol protocol) {
  CodecOptions options{};
  options.connections = static_cast<std::uint32_t>(kMaxLinks);
  options.handlers = options_.limit;
  // More than are ever served or queued, so that the engine does the refusing.
  options.requests = std::min<std::uint32_t>(options_.limit + queue_limit() + 64, 65535);
  options.window = kWindow;
  options.prefetch = std::min(options_.limit, kMaxPrefetch);
  options.model = options_.model;
  options.hold_values = !ready_to_answer_;
  ConnectionCodec made = make_codec(protocol, fd, options);
  const bool http = protocol == Listener::Protocol::http;
  const auto link = std::make_shared<Link>(io_, fd, std::move(made.codec), made.fastcgi,
                                           http ? options_.clients : ClientLimits::none());
  link->http = http;
  link->trusted_peer = http && options_.client_source.trusts(fd);
  links_.insert(link);
  watch_client(*link);
  await_input(link);
}

void Engine::become_ready() {
  const Lock lock(mutex_);
  ready_to_answer_ = true;
  for (const LinkPtr& link : links_) {
    if (!link->open || link->failed || link->fastcgi == nullptr) continue;
    link->fastcgi->answer_held_values();
    const protocol::Event event = link->codec->next();
    if (event.kind != protocol::Event::Kind::none) handle(link, event);
    send(link);
  }
}

void Engine::await_input(const LinkPtr& link) {
  if (!link->open || link->paused || link->awaiting_input) return;
  if (!link->codec->wants_input() || backed_up(*link)) return;
  link->awaiting_input = true;
  link->descriptor.async_wait(descriptor_base::wait_read,
                              [this, link](const boost::system::error_code& error) {
                                if (!error) on_readable(link);
                              });
}

// A request in hand is still given its body, and the rest of the last one's is still dropped: its
// client may write all of that before it reads.
bool Engine::backed_up(const Link& link) {
  if (link.fastcgi != nullptr || link.exchanges.size() > 0 || link.codec->closing()) return false;
  return link.codec->output().size() >= kMaxOutput;
}

void Engine::await_room(const LinkPtr& link) {
  if (!link->open || link->awaiting_room) return;
  link->awaiting_room = true;
  link->descriptor.async_wait(descriptor_base::wait_write,
                              [this, link](const boost::system::error_code& error) {
                                if (!error) on_writable(link);
                              });
}

void Engine::on_readable(const LinkPtr& link) {
  const ssize_t got = ::recv(link->fd(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  const int error = errno;
  const Lock lock(mutex_);
  link->awaiting_input = false;
  if (!link->open || link->failed) return;
  now_ = Clock::now();
  if (got == 0 || (got < 0 && !would_block(error))) return close_link(link);
  if (got > 0 && !link->lingering) {
    receive(link, {buffer_.data(), static_cast<std::size_t>(got)});
    if (!link->open) return;
    send(link);
    watch_client(*link);
    close_if_done(link);
  }
  await_input(link);
}

void Engine::on_writable(const LinkPtr& link) {
  const Lock lock(mutex_);
  link->awaiting_room = false;
  if (!link->open || link->failed) return;
  link->patience.unblock();
  send(link);
  link->patience.restart(Clock::now());  // it has read something
  take_held(link);
  if (!link->open || link->failed) return;
  close_if_done(link);
}

void Engine::send(const LinkPtr& link) {
  if (!link->open || link->failed || link->awaiting_room) return;
  switch (link->send()) {
    case Link::Sent::all:
      break;
    case Link::Sent::blocked:
      await_room(link);
      if (link->fastcgi != nullptr) break;
      link->patience.block(Clock::now());
      schedule_patience(*link);
      break;
    case Link::Sent::broken:
      return fail_link(link);
  }
  if (link->blocked_writers > 0 && link->codec->output().size() < kMaxOutput) wake_writers(*link);
}

void Engine::wake_writers(Link& link) {
  for (Exchange* exchange : link.exchanges.list()) wake(*exchange);
}

void Engine::flush_dirty() {
  collected_ = 0;
  for (const LinkPtr& link : dirty_) {
    link->dirty = false;
    send(link);
    close_if_done(link);
  }
  dirty_.clear();
}

// Only the thread that performs a turn closes sockets, since it may be about to use this one.
void Engine::fail_link(const LinkPtr& link) {
  link->failed = true;
  boost::asio::post(io_, [this, link] {
    const Lock lock(mutex_);
    close_link(link);
  });
}

void Engine::close_if_done(const LinkPtr& link) {
  if (!link->open || link->failed || link->lingering) return;
  if (!link->codec->output().empty()) return;
  // Requests that have arrived already are still served.
  const bool drained = draining() && link->codec->idle() && !link->readable();
  if (!drained && !link->codec->closing()) return;
  const bool unread = link->unread_input || link->codec->unread();
  if (unread && !link->codec->reset_on_close()) {
    // Closing now would have the kernel reset the connection, and with it destroy the response.
    link->lingering = true;
    ::shutdown(link->fd(), SHUT_WR);
    link->linger_until = Clock::now() + kLinger;
    schedule(link->linger_until);
    link->paused = false;
    await_input(link);
    return;
  }
  fail_link(link);
}

void Engine::close_link(const LinkPtr& of) {
  // `of` may belong to an exchange, which gives it up here.
  const LinkPtr link = of;  // NOLINT(performance-unnecessary-copy-initialization)
  if (!link->open) return;
  for (Exchange* exchange : link->exchanges.list()) cancel(*exchange, Exchange::Cancel::gone);
  link->close();
  links_.erase(link);
  resume_accepting();
  check_finished();
}

void Engine::schedule(Clock::time_point time) {
  if (time >= timer_at_) return;
  timer_at_ = time;
  timer_.expires_at(time);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_timer();
  });
}

void Engine::on_timer() {
  const Lock lock(mutex_);
  now_ = Clock::now();
  if (timer_at_ > now_) return;  // replaced while it was on its way
  timer_at_ = Clock::time_point::max();
  auto next = Clock::time_point::max();
  const bool spent = stop_at_ <= now_;
  if (!spent) next = stop_at_;
  if (spent) drain_spent_ = true;
  for (auto at = active_.begin(); at != active_.end();) {
    Exchange& exchange = *at++;  // cancelling may take it from the list
    next = std::min(next, beat(exchange));
    if (spent) {
      cancel(exchange, Exchange::Cancel::drained);
    } else if (exchange.expires <= now_ && exchange.more_input()) {
      exchange.restart_clock(now_);
      next = std::min(next, exchange.expires);
    } else if (exchange.expires <= now_) {
      if (exchange.cancelled == Exchange::Cancel::none)
        cancel(exchange, Exchange::Cancel::deadline);
    } else {
      next = std::min(next, exchange.expires);
    }
  }
  auto links_next = Clock::time_point::max();
  for (const LinkPtr& link : std::vector<LinkPtr>(links_.begin(), links_.end())) {
    if (!link->open) continue;  // closed for a reason that an earlier one gave
    const auto due = [&] {
      return link->lingering ? link->linger_until : link->patience.deadline();
    };
    const bool lost = due() <= now_ && lose_patience(*link);
    if (lost || (drain_spent_ && link->exchanges.size() == 0)) {
      close_link(link);
    } else {
      links_next = std::min(links_next, due());
    }
  }
  // Thousands of connections do not each need to be closed to the millisecond.
  if (links_next != Clock::time_point::max()) next = std::min(next, links_next + kCloseTogether);
  flush_dirty();
  resume_accepting();
  if (next != Clock::time_point::max()) schedule(next);
}

void Engine::drain() {
  const Lock lock(mutex_);
  if (draining()) return;
  draining_ = true;
  accept_the_rest();
  close_listeners();
  for (const LinkPtr& link : links_) {
    if (link->fastcgi == nullptr) link->codec->close_after_response();
    close_if_done(link);
  }
  stop_streams(nullptr);
  stop_at_ = Clock::now() + options_.stop_time;
  schedule(stop_at_);
  check_finished();
}

// Whoever has connected was promised an answer; whoever connects meanwhile was not, and must not
// keep this from ending.
void Engine::accept_the_rest() {
  for (const auto& listener : listeners_) {
    for (int i = 0; i < kBacklog && links_.size() < kMaxLinks; ++i) {
      const int fd = listener->accept();
      if (fd >= 0) add_link(fd, listener->protocol);
      if (fd < 0 && errno != ECONNABORTED) break;
    }
  }
}

void Engine::close_listeners() {
  for (const auto& listener : listeners_) {
    boost::system::error_code ignored;
    listener->descriptor.close(ignored);
  }
}

bool Engine::finished() const {
  return draining() && links_.empty() && active_.empty();
}

void Engine::check_finished() {
  if (finished()) executor_->stop();
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
