#include "daemon/bridge/link/server.hpp"

#include <algorithm>
#include <utility>

#include "daemon/bridge/link/reconnect.hpp"
#include "daemon/channel/message.hpp"

namespace viaduct::daemon::bridge {

namespace {

/// A kept connection holds a process of many a server.
constexpr auto kIdle = std::chrono::seconds(60);
/// Two ticks: every thread sees that another one's connection was silent.
constexpr auto kStarving = std::chrono::milliseconds(100);
constexpr auto kQuestionInterval = std::chrono::seconds(10);
/// After an answer that it cannot multiplex, or none: it may have become another program.
constexpr auto kAskAgain = std::chrono::seconds(60);
using channel::kMaxCapacity;

}  // namespace

Server::Server(Reactor& reactor, WorkerOwner& owner, std::shared_ptr<WorkerInfo> info)
    : Worker(reactor, owner, std::move(info)) {}

Server::~Server() {
  die();
}

bool Server::ending() const {
  return dead_ || draining_ || info_->draining.load(std::memory_order_relaxed);
}

// ---- requests

std::uint32_t Server::slots() const {
  const std::uint32_t all = multiplexed_ ? capacity_ : info_->capacity;
  const std::uint32_t share = server().health.share(reactor_.now());
  // Without others, slow start would only make requests wait.
  if (share == ServerHealth::kWhole || owner_.others(*this) != WorkerOwner::Others::whole) {
    return all;
  }
  return std::max(1U,
                  static_cast<std::uint32_t>(std::uint64_t{all} * share / ServerHealth::kWhole));
}

bool Server::rising() const {
  return server().health.share(reactor_.now()) < ServerHealth::kWhole;
}

bool Server::has_slot() const {
  if (dead_ || info_->draining.load(std::memory_order_relaxed)) return false;
  if (info_->active.load(std::memory_order_acquire) >= slots()) return false;
  if (multiplexed_) return !link_->congested();
  const std::size_t keep = server().keep;
  if (keep > 0 && plain_.size() - plain_.idle_count() >= keep) return false;
  return reactor_.now() >= retry_at_;
}

Taking Server::taking() const {
  if (!multiplexed_) return Taking::one;
  return threads_ ? Taking::threads : Taking::many;
}

std::uint64_t Server::load() const {
  const std::uint64_t active = info_->active.load(std::memory_order_relaxed);
  return (active + 1) * ServerHealth::kWhole / server().health.share(reactor_.now());
}

std::optional<Worker::Carried> Server::begin(const Request& request) {
  // Another thread may take the last slot in between.
  if (info_->active.fetch_add(1, std::memory_order_relaxed) >= slots()) {
    release(1);
    return std::nullopt;
  }
  const auto carried =
      multiplexed_ ? std::optional<Carried>{{link_.get(), link_->begin(request.caller, request.role,
                                                                       request.params, true)}}
                   : begin_plain(request);
  if (carried) {
    info_->requests.fetch_add(1, std::memory_order_relaxed);
  } else {
    release(1);
  }
  return carried;
}

std::optional<Worker::Carried> Server::begin_plain(const Request& request) {
  PlainLinks::Entry* entry = request.repeatable && request.moves == 0 ? plain_.idle() : nullptr;
  if (entry == nullptr) {
    make_room();
    auto link = connect();
    if (link == nullptr) return std::nullopt;
    entry = &plain_.add(std::move(link));
  }
  entry->busy = true;
  entry->revives = !up();
  entry->keep = server().keep > 0 && !draining_ && !request.has_body;
  Link& link = *entry->link;
  const bool again = entry->used && !request.has_body;
  return Carried{
      &link, again ? link.begin_watched(request.caller, request.role, request.params, entry->keep)
                   : link.begin(request.caller, request.role, request.params, entry->keep)};
}

std::size_t Server::connection_limit() const {
  return std::min<std::size_t>(server().keep, room_.limit(reactor_.now()));
}

// A process of the server may serve one connection at a time: with an idle one it would never come
// to the next.
void Server::make_room() {
  if (server().keep == 0 || plain_.size() < connection_limit()) return;
  if (const PlainLinks::Entry* const idle = plain_.idle()) {
    const auto link = idle->link;
    link->close("another connection is needed");
  }
}

void Server::abort(const Carried& carried, Clock::time_point /*deadline*/) {
  carried.link->abort(carried.id);
}

void Server::on_timeout() {
  fail(ServerHealth::Failure::request, "timeouts.request passed");
}

bool Server::on_request_lost(const Link& link, const LostRequest& lost) {
  const Blame found = blame(lost, owner_.longest_answered().load(std::memory_order_relaxed));
  if (lost_ != Blame::server) lost_ = found;
  const PlainLinks::Entry* const entry = plain_.find(link);
  // Nobody may be blamed for having closed a connection that was idle.
  return found == Blame::server && (entry == nullptr || !entry->used);
}

void Server::on_answering(std::uint64_t head) {
  // Two threads may store at once: it is a hint.
  auto& longest = owner_.longest_answered();
  if (longest.load(std::memory_order_relaxed) < head) {
    longest.store(head, std::memory_order_relaxed);
  }
}

void Server::on_request_end(Link& link, Clock::duration /*taken*/) {
  failures_ = 0;
  PlainLinks::Entry* const entry = plain_.find(link);
  if (const auto lost = std::exchange(lost_, std::nullopt); !lost) {
    const bool revives = entry != nullptr && entry->revives;
    server().health.answer();
    if (revives && server().health.revive(reactor_.now())) owner_.on_server_up(*this);
  } else if (lost == Blame::server) {
    fail(ServerHealth::Failure::request, "closed within the response head");
  }
  if (entry != nullptr) {
    if (server().keep > 0) room_.serves(plain_.heard_count());
    const bool keep = entry->keep && !ending() && plain_.size() <= connection_limit();
    plain_.rest(*entry, reactor_.now());
    if (!keep) link.close("request ended");
  }
  release(1);
  owner_.on_slot_free(*this);
}

// ---- connections

std::shared_ptr<Link> Server::connect() {
  auto link = std::make_shared<Link>(reactor_, *this, server().settings.protocol);
  if (const auto error = link->connect(info_->address)) {
    connect_failed(error.message());
    return nullptr;
  }
  return link;
}

void Server::fail(ServerHealth::Failure failure, const std::string& why) {
  const bool last = owner_.others(*this) == WorkerOwner::Others::none;
  if (server().health.fail(failure, last, reactor_.now())) owner_.on_server_down(*this, why);
}

// Of those that were under way together only the first counts.
void Server::connect_failed(const std::string& why) {
  if (reactor_.now() < retry_at_) return;
  retry_at_ = reactor_.now() + reconnect_delay(++failures_);
  ask_at_ = std::max(ask_at_, retry_at_);
  if (failures_ == 1) owner_.on_link_trouble(*this, "connect: " + why);
  fail(ServerHealth::Failure::unreachable, why);
}

void Server::on_closed(Link& link, std::size_t active, std::size_t lost,
                       const std::string& reason) {
  const bool delivered = link.delivered();
  release(active);
  if (&link == check_.get()) {
    reactor_.bury(std::exchange(check_, nullptr));
    if (!dead_) fail(ServerHealth::Failure::unreachable, reason);
  } else if (&link == link_.get()) {
    reactor_.bury(std::exchange(link_, nullptr));
    if (!dead_) link_closed(lost, delivered, reason);
  } else if (const PlainLinks::Entry* const entry = plain_.find(link)) {
    const bool stale = entry->used;
    reactor_.bury(plain_.take(link));
    if (!dead_) plain_closed(link, stale, lost, reason);
  }
  lost_.reset();
  if (active > 0 && !dead_) owner_.on_slot_free(*this);
}

void Server::link_closed(std::size_t lost, bool delivered, const std::string& reason) {
  multiplexed_ = false;
  asked_at_ = {};
  ask_at_ = reactor_.now() + reconnect_delay(1);
  if (!delivered) return connect_failed(reason);
  if (lost > 0 && lost_ == Blame::server) fail(ServerHealth::Failure::request, reason);
}

void Server::plain_closed(const Link& link, bool stale, std::size_t lost,
                          const std::string& reason) {
  if (link.delivered()) failures_ = 0;
  if (lost == 0 || link.closed_by_abort()) return;
  if (!link.delivered()) return connect_failed(reason);
  if (!stale && lost_ == Blame::server) fail(ServerHealth::Failure::request, reason);
}

void Server::ask() {
  link_ = connect();
  if (link_ == nullptr) return;
  asked_at_ = heard_at_ = reactor_.now();
  link_->ask();
}

void Server::on_values(Link& link, const protocol::fastcgi::Values& values) {
  if (&link != link_.get()) return;
  heard_at_ = reactor_.now();
  asked_at_ = {};
  if (multiplexed_) return;
  if (values.multiplexes.value_or(false) && values.window) {
    link.enable_window(*values.window);
    const std::uint32_t most = std::clamp(values.max_reqs.value_or(1), 1U, kMaxCapacity);
    capacity_ = server().own_capacity ? most : std::min(most, info_->capacity);
    multiplexed_ = true;
    threads_ = values.threads;
    owner_.on_slot_free(*this);
    return;
  }
  ask_at_ = reactor_.now() + kAskAgain;
  const auto plain = std::exchange(link_, nullptr);
  plain->close("it does not multiplex");
  reactor_.bury(plain);
}

void Server::announce_draining() {
  draining_ = true;
  if (multiplexed_) link_->ask(true);
  plain_.close_idle("no more requests");
}

void Server::die() {
  if (std::exchange(dead_, true)) return;
  if (const auto check = check_) check->close("not needed any more");
  if (const auto link = link_) link->close("server removed");
  multiplexed_ = false;
  plain_.close_all("server removed");
}

// ---- time

bool Server::slow_to_connect(const Link& link, Clock::time_point now) const {
  const auto limit = server().connect_timeout;
  return limit.count() != 0 && link.connecting() && now - link.since() >= limit;
}

bool Server::wants_tick() const {
  // A connection that is being made for a request is watched for as long as that lasts.
  if (dead_) return false;
  if (check_ != nullptr || asked_at_ != Clock::time_point{}) return true;
  const auto soon = reactor_.now() + std::chrono::seconds(1);
  if (server().settings.health.interval.count() != 0 && !ending() && check_at_ < soon &&
      reactor_.index() == 0) {
    return true;
  }
  return server().settings.multiplex == config::Multiplex::automatic && link_ == nullptr &&
         !ending() && ask_at_ < soon;
}

std::optional<std::string> Server::tick(Clock::time_point now, std::chrono::milliseconds patience) {
  if (dead_) return std::nullopt;
  if (const auto limit = server().connect_timeout; limit.count() != 0) {
    plain_.close_connecting_since(now - limit, "timed out (timeouts.connect)");
  }
  plain_.close_idle_since(now - kIdle, "idle");
  if (server().keep > 0) tick_kept(now);
  if (server().settings.multiplex == config::Multiplex::automatic) tick_link(now, patience);
  if (reactor_.index() == 0) tick_health(now);
  return std::nullopt;
}

void Server::tick_kept(Clock::time_point now) {
  auto& starved_at = server().starved_at;
  const Clock::rep others_at = starved_at.load(std::memory_order_relaxed);
  bool starving =
      others_at != starved_at_ && now.time_since_epoch() - Clock::duration(others_at) <= kStarving;
  if (plain_.silent_since(now - server().settings.silence)) {
    starving = true;
    if (const std::size_t served = plain_.heard_count()) room_.starves(served, now);
    starved_at_ = now.time_since_epoch().count();
    starved_at.store(starved_at_, std::memory_order_relaxed);
  }
  if (starving) plain_.close_idle("another connection gets no answer");
  plain_.take_back_unread(now, server().settings.unread,
                          "the program has not read the next request");
}

void Server::tick_link(Clock::time_point now, std::chrono::milliseconds patience) {
  const auto link = link_;
  if (link == nullptr) {
    if (!ending() && now >= ask_at_) ask();
  } else if (slow_to_connect(*link, now)) {
    link->close("timed out (timeouts.connect)");
  } else if (asked_at_ != Clock::time_point{}) {
    if (now - asked_at_ <= patience) return;
    const bool broken = multiplexed_;
    link->close("no answer to FCGI_GET_VALUES");
    ask_at_ = now + (broken ? reconnect_delay(1) : kAskAgain);
  } else if (now - heard_at_ > kQuestionInterval) {
    asked_at_ = now;
    link->ask(draining_);
  }
}

void Server::tick_health(Clock::time_point now) {
  if (server().health.recover(now)) owner_.on_server_up(*this);
  const auto interval = server().settings.health.interval;
  if (interval.count() == 0 || ending()) return;
  if (check_ != nullptr) return look_after_check(now);
  if (now < check_at_) return;
  check_at_ = now + interval;
  check_ = std::make_shared<Link>(reactor_, *this);
  if (const auto error = check_->connect(info_->address)) {
    check_ = nullptr;
    fail(ServerHealth::Failure::unreachable, error.message());
  }
}

void Server::look_after_check(Clock::time_point now) {
  if (slow_to_connect(*check_, now)) {
    const auto check = check_;
    check->close("timed out (timeouts.connect)");
    return;
  }
  if (check_->connecting()) return;
  server().health.pass();
  const auto passed = std::exchange(check_, nullptr);
  passed->close("it accepts connections");
  reactor_.bury(passed);
}

}  // namespace viaduct::daemon::bridge
