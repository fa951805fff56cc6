// The requests of an Engine: what codecs report, and what becomes of it.

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include <viaduct/log.hpp>

#include "protocol/refusal.hpp"
#include "sdk/src/runtime/engine.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

using protocol::Errc;
using protocol::Event;

// Unread body bytes of one request beyond which its connection is not read, where there is no
// window to tell the peer; and where reading goes on.
constexpr std::size_t kPauseAt = 256 * 1024;
constexpr std::size_t kResumeAt = 128 * 1024;
constexpr std::size_t kSpare = 1024;
constexpr std::chrono::seconds kMalformedEvery{1};

std::string refusal(Errc error) {
  return std::string("request refused: ") + protocol::describe(error);
}

}  // namespace

void Engine::receive(const LinkPtr& link, protocol::Bytes bytes) {
  protocol::ServerCodec& codec = *link->codec;
  while (!bytes.empty() && codec.error() == Errc::ok) {
    bytes = bytes.subspan(codec.feed(bytes));
    for (Event event = codec.next(); event.kind != Event::Kind::none; event = codec.next()) {
      handle(link, event);
      if (!link->open) return;
    }
  }
  if (codec.error() == Errc::ok) return;
  log_malformed(codec.error());
  close_link(link);
}

// Requests behind one that has just ended (HTTP pipelining). Once no more may be appended to the
// output, on_writable() goes on.
void Engine::take_held(const LinkPtr& link) {
  if (link->fastcgi != nullptr || !link->open || link->failed) return;
  if (backed_up(*link)) send(link);
  if (link->failed) return;
  protocol::ServerCodec& codec = *link->codec;
  while (!backed_up(*link)) {
    const Event event = codec.next();
    if (event.kind == Event::Kind::none) break;
    handle(link, event);
  }
  watch_client(*link);
  await_input(link);
}

void Engine::handle(const LinkPtr& link, const Event& event) {
  switch (event.kind) {
    case Event::Kind::none:
    case Event::Kind::growth:
      return;
    case Event::Kind::request:
      return on_request(link, event.id, *event.head);
    case Event::Kind::body:
      return on_body(link, event);
    case Event::Kind::data:
      return on_data(link, event);
    case Event::Kind::data_end:
      if (Exchange* exchange = link->exchanges.find(event.id)) {
        exchange->data_ended = true;
        exchange->restart_clock(now_);
        wake(*exchange);
      }
      return;
    case Event::Kind::refused:
      return on_refused(*link, event);
    case Event::Kind::window:
      link->window = event.count;
      return;
    case Event::Kind::credit:
      return on_credit(*link, event);
    case Event::Kind::draining:
      link->draining.store(true, std::memory_order_relaxed);
      return stop_streams(link.get());
    case Event::Kind::trace:
      return on_trace(link, event.id);
    case Event::Kind::body_end:
      if (Exchange* exchange = link->exchanges.find(event.id)) {
        exchange->input_ended = true;
        exchange->restart_clock(now_);
        wake(*exchange);
      }
      return;
    case Event::Kind::abort:
      return on_abort(*link, event);
  }
}

void Engine::on_request(const LinkPtr& link, protocol::RequestId id, protocol::RequestHead& head) {
  link->patience.begin_request(now_);
  if (drain_spent_ || ready_.size() >= queue_limit()) {
    if (link->fastcgi != nullptr && link->window) return link->fastcgi->overloaded(id);
    return answer(*link, id, 503);
  }
  if (link->http && options_.client_source.settle(link->trusted_peer, head.params)) {
    log_contradiction();
  }
  Exchange& exchange = acquire();
  exchange.begin(link, id, head, kWindow);
  exchange.serial = ++last_serial_;
  const std::string_view left = exchange.request_state.variables().deadline_ms;
  std::uint32_t milliseconds = 0;
  const auto parsed = std::from_chars(left.data(), left.data() + left.size(), milliseconds);
  if (!left.empty() && parsed.ec == std::errc() && parsed.ptr == left.data() + left.size()) {
    exchange.time_limit = std::chrono::milliseconds(milliseconds);
    exchange.expires = now_ + exchange.time_limit;
    schedule(exchange.expires);
  }
  link->exchanges.insert(id, exchange);
  exchange.phase = Exchange::Phase::queued;
  active_.push_back(exchange);
  ready_.push_back(exchange);
}

void Engine::on_body(const LinkPtr& link, const Event& event) {
  Exchange* const exchange = link->exchanges.find(event.id);
  if (exchange == nullptr || !has_credit(link, *exchange, event)) return;
  exchange->store(event.bytes);
  link->patience.receive(event.bytes.size(), now_);
  after_input(link, *exchange);
}

void Engine::on_data(const LinkPtr& link, const Event& event) {
  Exchange* const exchange = link->exchanges.find(event.id);
  if (exchange == nullptr || !has_credit(link, *exchange, event)) return;
  exchange->store_data(event.bytes);
  after_input(link, *exchange);
}

bool Engine::has_credit(const LinkPtr& link, Exchange& exchange, const Event& event) {
  const auto size = static_cast<std::uint32_t>(event.bytes.size());
  if (exchange.receive_credit.received(size)) return true;
  log_malformed(Errc::window_exceeded);
  close_link(link);
  return false;
}

void Engine::after_input(const LinkPtr& link, Exchange& exchange) {
  if (!link->window && exchange.unread() > kPauseAt) link->paused = true;
  wake(exchange);
}

void Engine::input_taken(Exchange& exchange, std::uint32_t bytes) {
  const LinkPtr& link = exchange.link;
  exchange.receive_credit.passed_on(bytes);
  if (link->fastcgi == nullptr) {
    link->patience.await(ClientPatience::Awaited::nothing, Clock::now());
  }
  const std::uint32_t due = exchange.more_input() ? exchange.receive_credit.take_due() : 0;
  if (due > 0 && link->fastcgi != nullptr) {
    link->fastcgi->credit(exchange.id, due);
    send(link);
  }
  if (link->paused && exchange.unread() < kResumeAt) {
    link->paused = false;
    await_input(link);
  }
}

void Engine::on_abort(const Link& link, const Event& event) {
  Exchange* const exchange = link.exchanges.find(event.id);
  if (exchange == nullptr) return;
  if (event.error != Errc::bad_chunk) return cancel(*exchange, Exchange::Cancel::gone);
  log_.add(Level::warn, exchange->request_state.id(), refusal(event.error));
  cancel(*exchange, Exchange::Cancel::malformed);
}

void Engine::on_refused(Link& link, const Event& event) {
  log_.add(Level::warn, {}, refusal(event.error));
  link.unread_input = true;
  answer(link, event.id, protocol::refusal_status(event.error));
}

// Clients of HTTP may hold the body back until they are asked for it.
void Engine::want_input(Exchange& exchange) {
  Link& link = *exchange.link;
  if (link.fastcgi != nullptr) return;
  link.codec->want_body(exchange.id);
  send(exchange.link);
  link.patience.await(ClientPatience::Awaited::body, Clock::now());
  schedule_patience(link);
}

void Engine::on_credit(Link& link, const Event& event) {
  Exchange* const exchange = link.exchanges.find(event.id);
  if (exchange == nullptr) return;
  if (exchange->send_credit.grant(event.count)) return wake(*exchange);
  log_malformed(Errc::bad_credit);
  close_link(exchange->link);
}

void Engine::answer(Link& link, protocol::RequestId id, int status) {
  const std::string text = std::string(protocol::reason_phrase(status)) + '\n';
  protocol::ResponseHead head;
  head.status = status;
  head.content_length = text.size();
  head.fields.add("Content-Type", "text/plain; charset=utf-8");
  head.fields.add("Content-Length", std::to_string(text.size()));
  link.codec->head(id, head);
  link.codec->body(id, protocol::as_bytes(text));
  link.codec->end(id);
  link.codec->output().settle();
}

void Engine::wake(Exchange& exchange) {
  executor_->wake(exchange);
}

void Engine::cancel(Exchange& exchange, Exchange::Cancel reason) {
  const bool first = exchange.cancel(reason);
  if (exchange.phase == Exchange::Phase::queued) {
    ready_.erase(ready_.iterator_to(exchange));
    exchange.conclude();
    const LinkPtr link = exchange.link;
    release(exchange);
    if (reason == Exchange::Cancel::gone) return;
    send(link);
    take_held(link);
    return;
  }
  if (first && exchange.stop_source().stop_possible()) {
    stops_.push_back({exchange.stop_source(), exchange.link, exchange.id});
  } else {
    wake(exchange);
  }
}

Exchange* Engine::take_ready() {
  if (!has_ready()) return nullptr;
  Exchange& exchange = ready_.front();
  ready_.pop_front();
  exchange.phase = Exchange::Phase::running;
  ++running_;
  return &exchange;
}

void Engine::complete(Exchange& exchange) {
  --running_;
  const LinkPtr link = exchange.link;
  if (link->open) {
    protocol::Output& output = link->codec->output();
    const std::size_t before = output.size();
    exchange.conclude();
    collected_ += output.size() - std::min(before, output.size());
    // What the response referred to is about to be reused.
    if (output.size() - std::min(before, output.size()) >= protocol::Output::kReferAtLeast) {
      send(link);
      output.settle();
    }
    mark_dirty(link);
  }
  release(exchange);
  take_held(link);
  check_finished();
}

Exchange& Engine::acquire() {
  // release() takes ownership back; in between the lists refer to it.
  if (spare_.empty()) return *std::make_unique<Exchange>(*this).release();
  Exchange* const exchange = spare_.back().release();
  spare_.pop_back();
  return *exchange;
}

void Engine::release(Exchange& exchange) {
  std::unique_ptr<Exchange> owned(&exchange);
  const LinkPtr link = exchange.link;
  if (exchange.more_input()) link->unread_input = true;
  link->exchanges.erase(exchange.id);
  active_.erase(active_.iterator_to(exchange));
  if (active_.empty()) idle_.notify_all();
  exchange.finish();
  if (spare_.size() < kSpare) spare_.push_back(std::move(owned));
  if (link->paused) {
    link->paused = false;
    await_input(link);
  }
}

void Engine::log_malformed(Errc error) {
  ++malformed_;
  if (now_ - last_malformed_ < kMalformedEvery && malformed_ > 1) return;
  std::string line = "closed a connection whose peer sent malformed bytes: ";
  line += protocol::describe(error);
  if (malformed_ > 1) {
    line += ", connections since the last such line: " + std::to_string(malformed_);
  }
  log_.add(Level::warn, {}, std::move(line));
  last_malformed_ = now_;
  malformed_ = 0;
}

// A proxy that does it does it with every request.
void Engine::log_contradiction() {
  if (std::exchange(contradicted_, true)) return;
  log_.add(Level::warn, {},
           "a trusted proxy sends X-Forwarded-Proto, -Host or -Port with neither one value nor as "
           "many as X-Forwarded-For, or an element of Forwarded that repeats itself: such a field "
           "is ignored; this is said once");
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
