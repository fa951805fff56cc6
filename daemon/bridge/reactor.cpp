#include "daemon/bridge/reactor.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

namespace viaduct::daemon::bridge {

namespace {

constexpr auto kBusyTick = std::chrono::milliseconds(50);
constexpr auto kIdleTick = std::chrono::seconds(1);

}  // namespace

Reactor::Reactor(unsigned index)
    : index_(index),
      now_(Clock::now()),
      buffer_(new std::byte[kBufferSize]),
      context_(1),
      timer_(context_.get_executor()) {}

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
  if (std::exchange(turn_posted_, true)) return;
  boost::asio::post(context_, [this] { end_turn(); });
}

void Reactor::forget(Flushable& target) {
  for (auto* list : {&soon_, &turn_, &flushing_}) {
    std::replace(list->begin(), list->end(), &target, static_cast<Flushable*>(nullptr));
  }
}

void Reactor::finish_event() {
  // A flush may make further targets due: a written response frees a slot for the next request.
  for (std::size_t i = 0; i < soon_.size(); ++i) {
    if (Flushable* target = soon_[i]) {
      target->soon_ = false;
      target->flush();
    }
  }
  soon_.clear();
  if (graveyard_.empty()) return;
  // Destructors may bury more.
  const auto dead = std::exchange(graveyard_, {});
}

void Reactor::end_turn() {
  Event event(*this);
  turn_posted_ = false;
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
