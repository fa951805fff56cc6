#include "daemon/bridge/reactor.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>

namespace viaduct::daemon::bridge {

namespace {

constexpr auto kBusyTick = std::chrono::milliseconds(50);
constexpr auto kIdleTick = std::chrono::seconds(1);
constexpr int kRounds = 4;  // of one turn

enum class Rank { leaving, urgent, other };

Rank rank_of(const epoll_event& event, const Watcher& watcher) {
  if (watcher.urgent()) return Rank::urgent;
  return (event.events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0 ? Rank::leaving : Rank::other;
}

int make_epoll_set() {
  const int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return descriptor;
}

}  // namespace

Reactor::Reactor(unsigned index)
    : index_(index),
      now_(Clock::now()),
      buffer_(new std::byte[kBufferSize]),
      context_(1),
      timer_(context_.get_executor()),
      sockets_(context_.get_executor(), make_epoll_set()) {
  await_sockets();
}

void Reactor::watch(int descriptor, Watcher& watcher, std::uint32_t events, int operation) {
  epoll_event event{};
  event.events = events | EPOLLRDHUP;
  event.data.ptr = &watcher;
  if (::epoll_ctl(sockets_.native_handle(), operation, descriptor, &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

void Reactor::unwatch(int descriptor, Watcher& watcher) {
  ::epoll_ctl(sockets_.native_handle(), EPOLL_CTL_DEL, descriptor, nullptr);
  for (epoll_event& event : std::span(ready_).first(ready_count_)) {
    if (event.data.ptr == &watcher) event.data.ptr = nullptr;
  }
}

void Reactor::await_sockets() {
  sockets_.async_wait(Descriptor::wait_read, [this](boost::system::error_code error) {
    if (error) return;
    serve_sockets();
    await_sockets();
  });
}

void Reactor::serve_sockets() {
  const bool was_due = std::exchange(turn_due_, true);
  // Under load more has come meanwhile, and may share the writes at the end of the turn.
  for (int round = 0; round < kRounds && serve_ready(); ++round) continue;
  turn_due_ = was_due;
  end_turn();
}

bool Reactor::serve_ready() {
  const int count =
      ::epoll_wait(sockets_.native_handle(), ready_.data(), static_cast<int>(ready_.size()), 0);
  if (count <= 0) return false;
  ready_count_ = static_cast<std::size_t>(count);
  now_ = Clock::now();
  // Those who leave first, so that no worker is given what nobody waits for any more.
  for (const Rank rank : {Rank::leaving, Rank::urgent, Rank::other}) {
    for (epoll_event& event : std::span(ready_).first(ready_count_)) {
      const auto* watcher = static_cast<const Watcher*>(event.data.ptr);
      if (watcher != nullptr && rank_of(event, *watcher) == rank) serve(event);
    }
  }
  ready_count_ = 0;
  return true;
}

void Reactor::serve(epoll_event& event) {
  // A socket closed by an earlier event of the batch has been struck out.
  if ((event.events & EPOLLOUT) != 0 && event.data.ptr != nullptr) {
    Event bracket(*this, now_);
    static_cast<Watcher*>(event.data.ptr)->on_writable();
  }
  if ((event.events & ~EPOLLOUT) != 0 && event.data.ptr != nullptr) {
    Event bracket(*this, now_);
    static_cast<Watcher*>(event.data.ptr)->on_readable();
  }
}

void Reactor::start(std::function<bool()> tick) {
  tick_ = std::move(tick);
  arm_tick();
}

void Reactor::tick_soon() {
  if (!std::exchange(busy_, true)) arm_tick();
}

void Reactor::arm_tick() {
  timer_.expires_after(busy_ ? Clock::duration(kBusyTick) : Clock::duration(kIdleTick));
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;  // armed anew
    Event event(*this);
    busy_ = tick_();
    arm_tick();
  });
}

void Reactor::post(std::function<void()> work) {
  boost::asio::post(context_, [this, work = std::move(work)] {
    Event event(*this);
    work();
  });
}

void Reactor::flush_soon(Flushable& target) {
  if (target.soon_) return;
  target.soon_ = true;
  soon_.push_back(&target);
}

void Reactor::flush_at_turn_end(Flushable& target) {
  if (target.at_turn_end_) return;
  target.at_turn_end_ = true;
  turn_.push_back(&target);
  if (std::exchange(turn_due_, true)) return;
  boost::asio::post(context_, [this] {
    turn_due_ = false;
    end_turn();
  });
}

void Reactor::forget(Flushable& target) {
  for (auto* list : {&soon_, &turn_, &flushing_}) {
    std::replace(list->begin(), list->end(), &target, static_cast<Flushable*>(nullptr));
  }
}

void Reactor::finish_event() {
  do {
    flush_soon_targets();
    bury_dead();
  } while (memory_.look_again());
}

void Reactor::flush_soon_targets() {
  // A flush may make further targets due: a written response frees a slot for the next request.
  for (std::size_t i = 0; i < soon_.size(); ++i) {
    if (Flushable* target = soon_[i]) {
      target->soon_ = false;
      target->flush();
    }
  }
  soon_.clear();
}

void Reactor::bury_dead() {
  if (graveyard_.empty()) return;
  // Destructors may bury more.
  const auto dead = std::exchange(graveyard_, {});
}

void Reactor::end_turn() {
  if (turn_.empty()) return;
  Event event(*this);
  flushing_.swap(turn_);
  for (std::size_t i = 0; i < flushing_.size(); ++i) {
    if (Flushable* target = flushing_[i]) {
      target->at_turn_end_ = false;
      target->flush();
    }
  }
  flushing_.clear();
}

}  // namespace viaduct::daemon::bridge
