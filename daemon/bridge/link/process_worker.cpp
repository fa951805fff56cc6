#include "daemon/bridge/link/process_worker.hpp"

#include <algorithm>
#include <utility>

#include "daemon/channel/message.hpp"

namespace viaduct::daemon::bridge {

namespace {

constexpr auto kReconnectDelay = std::chrono::milliseconds(100);
/// Refused this often, a worker has closed its socket without ending.
constexpr unsigned kMaxFailures = 50;
/// A link has no more request ids.
constexpr auto kHealthInterval = std::chrono::seconds(10);

}  // namespace

ProcessWorker::ProcessWorker(Reactor& reactor, WorkerOwner& owner, std::shared_ptr<WorkerInfo> info)
    : Worker(reactor, owner, std::move(info)), asked_(info_->answered) {}

ProcessWorker::~ProcessWorker() {
  die();
}

std::shared_ptr<Link> ProcessWorker::connect() {
  auto link = std::make_shared<Link>(reactor_, *this);
  if (const auto error = link->connect(info_->address)) {
    retry_at_ = reactor_.now() + kReconnectDelay;
    if (++failures_ == 1) owner_.on_link_trouble(*this, "connect: " + error.message());
    return nullptr;
  }
  failures_ = 0;
  return link;
}

void ProcessWorker::ask() {
  link_ = connect();
  if (link_ == nullptr) return;
  asked_at_ = reactor_.now();
  link_->ask();
}

void ProcessWorker::on_values(Link& link, const protocol::fastcgi::Values& values) {
  heard_at_ = reactor_.now();
  asked_at_ = {};
  if (&link != link_.get()) return;
  if (asked_ && info_->multiplexed && link.active() > 0) return;
  const bool first = !std::exchange(asked_, true);
  if (first) {
    info_->multiplexed = values.multiplexes.value_or(false) && values.window.has_value();
    info_->threads = values.threads;
    info_->capacity = std::clamp(values.max_reqs.value_or(1), 1U, channel::kMaxCapacity);
    info_->prefetch = std::min(values.prefetch.value_or(0), info_->capacity);
    info_->answered = true;
  }
  if (info_->multiplexed) {
    if (values.window) link.enable_window(*values.window);
    window_known_ = values.window.has_value();
    set_broken(false);
  } else {
    plain_.add(std::exchange(link_, nullptr)).keep = true;
    release(std::exchange(recovering_, 0));
    recover_by_ = {};
    if (!keep_links_) plain_.close_idle("handed over");
  }
  if (first) owner_.on_answered(*this);
  owner_.on_slot_free(*this);
}

std::uint32_t ProcessWorker::slots() const {
  return prefetch_.worthwhile(reactor_.now()) ? info_->capacity + info_->prefetch : info_->capacity;
}

bool ProcessWorker::has_slot() const {
  if (!asked_ || dead_ || info_->draining.load(std::memory_order_relaxed)) return false;
  // What release() published comes with why: broken_links.
  if (info_->active.load(std::memory_order_acquire) >= slots()) return false;
  if (!info_->multiplexed) return reactor_.now() >= retry_at_;
  if (info_->broken_links.load(std::memory_order_relaxed) > 0) return false;
  return link_ != nullptr && window_known_ && !link_->congested();
}

Taking ProcessWorker::taking() const {
  if (!asked_) return Taking::unknown;
  if (!info_->multiplexed) return Taking::one;
  return info_->threads ? Taking::threads : Taking::many;
}

std::optional<Worker::Carried> ProcessWorker::begin(const Request& request) {
  // Another thread may take the last slot in between.
  if (info_->active.fetch_add(1, std::memory_order_relaxed) >= slots()) {
    release(1);
    return std::nullopt;
  }
  auto carried =
      info_->multiplexed
          ? std::optional<Carried>{{link_.get(), link_->begin(request.caller, request.role,
                                                              request.params, true)}}
          : begin_plain(request);
  if (carried) {
    info_->requests.fetch_add(1, std::memory_order_relaxed);
  } else {
    release(1);
  }
  return carried;
}

std::optional<Worker::Carried> ProcessWorker::begin_plain(const Request& request) {
  PlainLinks::Entry* entry = plain_.idle();
  if (entry != nullptr && !request.repeatable) {
    const auto stale = entry->link;
    stale->close("kept connections only take requests that can be repeated");
    entry = nullptr;
  }
  if (entry == nullptr) {
    auto link = connect();
    if (link == nullptr) return std::nullopt;
    entry = &plain_.add(std::move(link));
  }
  entry->busy = true;
  // One that cannot be asked may be one that ends every connection, whatever BEGIN_REQUEST says.
  entry->keep = keep_links_ && may_ask_ && !request.has_body;
  entry->deadline = request.deadline;
  entry->moves = request.moves;
  Link& link = *entry->link;
  const bool watched = may_ask_ && request.repeatable && !request.has_body;
  return Carried{
      &link, watched ? link.begin_watched(request.caller, request.role, request.params, entry->keep)
                     : link.begin(request.caller, request.role, request.params, entry->keep)};
}

void ProcessWorker::abort(const Carried& carried, Clock::time_point deadline) {
  if (!info_->multiplexed) {
    // It may be at something that began before, as with one that is taken back.
    const bool unread = carried.link->unread();
    recover_by_ = std::max(recover_by_, unread ? owner_.recovery_limit(deadline) : deadline);
  }
  // Closing would leave open until the deadline when one that cannot be asked is free again.
  carried.link->abort(carried.id, !info_->multiplexed && !may_ask_);
}

void ProcessWorker::on_request_end(Link& link, Clock::duration taken) {
  prefetch_.ended(taken, reactor_.now());
  if (info_->multiplexed) {
    release(1);
  } else {
    PlainLinks::Entry* const entry = plain_.find(link);
    const bool keep = entry->keep && keep_links_;
    PlainLinks::rest(*entry, reactor_.now());
    info_->rested_at.store(reactor_.now().time_since_epoch().count(), std::memory_order_relaxed);
    if (!keep) link.close("request ended");
    release(1);
  }
  owner_.on_slot_free(*this);
}

void ProcessWorker::on_closed(Link& link, std::size_t active, std::size_t lost,
                              const std::string& reason) {
  const bool aborted = link.closed_by_abort() || link.taken_back();
  if (link.taken_back()) {
    recover_by_ = std::max(recover_by_, owner_.recovery_limit(plain_.find(link)->deadline));
  }
  const bool expected = lost == 0 && !info_->multiplexed;
  if (info_->multiplexed && !dead_) set_broken(true);
  drop(link);
  if (dead_) {
    release(active);
    return;
  }
  retry_at_ =
      aborted ? reactor_.now() : reactor_.now() + (lost > 0 ? kReconnectDelay : Clock::duration{});
  if (aborted) {
    recovering_ += active;
    if (link_ == nullptr && may_ask_) ask();
    return;
  }
  release(active);
  if (!expected) owner_.on_link_trouble(*this, reason);
  if (active > 0) owner_.on_slot_free(*this);
}

void ProcessWorker::drop(const Link& link) {
  if (link_.get() == &link) {
    window_known_ = false;
    asked_at_ = {};
    reactor_.bury(std::exchange(link_, nullptr));
    return;
  }
  if (auto plain = plain_.take(link)) reactor_.bury(std::move(plain));
}

void ProcessWorker::set_broken(bool broken) {
  if (std::exchange(broken_, broken) == broken) return;
  info_->broken_links.fetch_add(broken ? 1U : -1U, std::memory_order_relaxed);
}

// A program may go on with a request that it has ended (fastcgi_finish_request), and read the next
// one late. Its slot stays taken until it answers a question.
void ProcessWorker::take_back_unread(Clock::time_point now) {
  if (!plain_.has_unread(now, info_->unread)) return;
  const bool room = !info_->draining.load(std::memory_order_relaxed) &&
                    info_->active.load(std::memory_order_relaxed) < slots();
  if (room || owner_.other_has_slot(*this)) {
    plain_.take_back_unread(now, info_->unread, "the program has not read the next request");
  }
}

void ProcessWorker::announce_draining() {
  if (info_->multiplexed && link_ != nullptr && link_->open() && window_known_) link_->ask(true);
}

void ProcessWorker::die() {
  if (std::exchange(dead_, true)) return;
  release(std::exchange(recovering_, 0));
  if (const auto link = link_) link->close("worker ended");
  plain_.close_all("worker ended");
}

void ProcessWorker::keep_connections(bool keep) {
  keep_links_ = keep && info_->one_thread;
  if (!keep_links_) plain_.close_idle("handed over");
}

bool ProcessWorker::wants_tick() const {
  if (dead_) return false;
  const bool wants_link = may_ask_ && (!asked_ || info_->multiplexed || recovering_ > 0);
  return recovering_ > 0 || (wants_link && link_ == nullptr) || info_->stuck > 0;
}

std::optional<std::string> ProcessWorker::tick(Clock::time_point now,
                                               std::chrono::milliseconds patience) {
  if (dead_) return std::nullopt;
  if (failures_ >= kMaxFailures) return "cannot connect to it";
  if (recovering_ > 0 && now >= recover_by_) return "a request that has ended still runs";
  if (!info_->multiplexed) take_back_unread(now);
  const bool wants_link = may_ask_ && (!asked_ || info_->multiplexed || recovering_ > 0);
  if (link_ == nullptr && wants_link && now >= retry_at_) {
    ask();
  } else if (link_ != nullptr && asked_ && info_->multiplexed && link_->active() == 0) {
    if (asked_at_ != Clock::time_point{}) {
      if (now - asked_at_ > patience) return "no answer to the health check";
    } else if (now - heard_at_ > kHealthInterval) {
      asked_at_ = now;
      link_->ask();
    }
  }
  return std::nullopt;
}

}  // namespace viaduct::daemon::bridge
