#include "sdk/src/runtime/exchange.hpp"

#include <algorithm>
#include <cstring>

#include <viaduct/errors.hpp>

#include "protocol/body_length.hpp"
#include "protocol/text.hpp"
#include "sdk/src/runtime/engine.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

// One request's share of a link before others get their turn.
constexpr std::uint32_t kPiece = 32 * 1024;
// A response up to this size fits into any window.
constexpr std::size_t kFitsAnyWindow = protocol::fastcgi::kMinWindow;
// What an exchange that waits for reuse may keep of its input buffer.
constexpr std::size_t kKeepInput = 16 * 1024;

// Bytes of the head as CGI text: it counts against the window like the body.
std::size_t size_of(const protocol::ResponseHead& head) {
  const std::size_t reason =
      head.reason.empty() ? std::strlen(protocol::reason_phrase(head.status)) : head.reason.size();
  constexpr std::string_view kFrame = "Status: 200 \r\n\r\n";
  constexpr std::size_t kPerField = 4;  // ": " and CRLF
  return kFrame.size() + reason + head.fields.bytes() + kPerField * head.fields.size();
}

}  // namespace

Exchange::Exchange(Engine& engine)
    : request_state(*this, *this, engine.request_ids(), &data_),
      request(request_state),
      response(*this),
      engine_(engine) {}

void Exchange::begin(std::shared_ptr<Link> on, protocol::RequestId number,
                     protocol::RequestHead& head, std::uint32_t receive_window) {
  using namespace protocol::fastcgi;
  link = std::move(on);
  id = number;
  request_state.begin(head);
  send_credit = link->window ? SendCredit(*link->window) : SendCredit();
  receive_credit = link->window ? ReceiveCredit(receive_window) : ReceiveCredit();
  cancelled = Cancel::none;
  input_ended = false;
  data_ended = request_state.head().role != protocol::Role::filter;
  outcome_ = Outcome::open;
  head_sent_ = false;
  passed_ = 0;
  expires = std::chrono::steady_clock::time_point::max();
  stream = false;
  heartbeat_every = {};
  heartbeat_at = std::chrono::steady_clock::time_point::max();
}

void Exchange::finish() {
  request_state.finish();
  link.reset();
  phase = Phase::spare;
  context = nullptr;
  if (stop_source_.stop_possible()) stop_source_ = std::stop_source(std::nostopstate);
  input_.reset(kKeepInput);
  data_.input.reset(kKeepInput);
  data_.received = 0;
}

void Exchange::store_data(protocol::Bytes bytes) {
  data_.received += bytes.size();
  data_.input.store(bytes);
}

bool Exchange::cancel(Cancel reason) {
  // A client that left outweighs the other reasons: it gets no answer at all.
  const bool first = cancelled == Cancel::none;
  if (first || reason == Cancel::gone) cancelled = reason;
  return first;
}

void Exchange::check_wanted() const {
  switch (cancelled) {
    case Cancel::none:
      return;
    case Cancel::gone:
      throw client_gone("the client left");
    case Cancel::deadline:
      throw client_gone("the deadline passed");
    case Cancel::drained:
      throw client_gone("the time to drain is spent");
    case Cancel::slow:
      throw client_gone("the client sends too little of its body");
    case Cancel::malformed:
      throw client_gone("the body is malformed");
  }
}

std::optional<std::uint64_t> Exchange::length() const {
  return request_state.head().content_length;
}

std::size_t Exchange::read(std::span<std::byte> into) {
  Engine::Lock lock(engine_.mutex());
  while (true) {
    check_wanted();
    if (input_.unread() > 0) break;
    if (input_ended) return 0;
    engine_.want_input(*this);
    engine_.wait(lock, *this);
  }
  const std::size_t count = input_.take(into);
  engine_.input_taken(*this, static_cast<std::uint32_t>(count));
  return count;
}

std::optional<std::uint64_t> Exchange::Data::length() const {
  const auto& state = exchange.request_state;
  if (state.head().role != protocol::Role::filter) return 0;
  return protocol::parse_decimal(state.variable("FCGI_DATA_LENGTH").value_or(""));
}

std::size_t Exchange::Data::read(std::span<std::byte> into) {
  if (exchange.request_state.head().role != protocol::Role::filter) return 0;
  const auto announced = length();
  Engine& engine = exchange.engine_;
  Engine::Lock lock(engine.mutex());
  while (true) {
    exchange.check_wanted();
    // The two share one window: what is left of the body would keep the data from coming.
    if (const std::size_t dropped = exchange.input_.drop()) {
      engine.input_taken(exchange, static_cast<std::uint32_t>(dropped));
    }
    if (announced && received > *announced) throw client_gone("more FCGI_DATA than announced");
    if (input.unread() > 0) break;
    if (exchange.data_ended) {
      if (announced && received < *announced) throw client_gone("FCGI_DATA breaks off");
      return 0;
    }
    engine.wait(lock, exchange);
  }
  const std::size_t count = input.take(into);
  engine.input_taken(exchange, static_cast<std::uint32_t>(count));
  return count;
}

void Exchange::restart_clock(std::chrono::steady_clock::time_point now) {
  if (expires != std::chrono::steady_clock::time_point::max()) expires = now + time_limit;
}

std::stop_token Exchange::stop() {
  const Engine::Lock lock(engine_.mutex());
  if (!stop_source_.stop_possible()) {
    stop_source_ = std::stop_source();
    if (cancelled != Cancel::none || (stream && draining())) stop_source_.request_stop();
  }
  return stop_source_.get_token();
}

std::chrono::steady_clock::time_point Exchange::deadline() const {
  const Engine::Lock lock(engine_.mutex());
  return expires;
}

bool Exchange::draining() const {
  return engine_.draining() || link->draining.load(std::memory_order_relaxed);
}

Attachments* Exchange::attachments() {
  return &engine_.attachments();
}

void Exchange::whole(const protocol::ResponseHead& response_head, protocol::Bytes bytes) {
  if (size_of(response_head) + bytes.size() > kFitsAnyWindow) {
    head(response_head);
    body(bytes);
    return end();
  }
  whole_head_ = &response_head;
  whole_body_ = bytes;
  outcome_ = Outcome::whole;
}

void Exchange::head(const protocol::ResponseHead& response_head) {
  const Engine::Lock lock(engine_.mutex());
  check_wanted();
  const std::size_t size = size_of(response_head);
  if (size > send_credit.available()) {
    throw invalid_header("a response head of " + std::to_string(size) +
                         " bytes is larger than the window of the link");
  }
  send_credit.spend(static_cast<std::uint32_t>(size));
  link->codec->head(id, response_head);
  head_sent_ = true;
  announced_ = protocol::body_length(response_head, request_state.variables().method == "HEAD");
  // It bounds the time to the head; how long the body may take is the daemon's timeouts.stall.
  expires = std::chrono::steady_clock::time_point::max();
}

// How much may be sent now. Without credit to go by, the link's own backlog is the bound.
std::uint32_t Exchange::room() const {
  if (link->codec->output().size() >= Engine::kMaxOutput) return 0;
  return std::min(send_credit.available(), kPiece);
}

void Exchange::body(protocol::Bytes bytes) {
  Engine::Lock lock(engine_.mutex());
  heartbeat_at = std::chrono::steady_clock::time_point::max();
  while (!bytes.empty()) {
    check_wanted();
    const std::uint32_t count =
        static_cast<std::uint32_t>(std::min<std::size_t>(room(), bytes.size()));
    if (count == 0) {
      // What fills the link may be this response's head, which nobody has sent yet.
      engine_.send(link);
      if (room() > 0) continue;
      // Without credit it is the peer who wakes this writer, not the link's next write: with many
      // slow clients every write would wake all of them for nothing.
      const std::uint32_t held_by_link = send_credit.available() > 0 ? 1 : 0;
      link->blocked_writers += held_by_link;
      engine_.wait(lock, *this);
      link->blocked_writers -= held_by_link;
      continue;
    }
    send_credit.spend(count);
    link->codec->body(id, bytes.first(count));
    bytes = bytes.subspan(count);
    passed_ += count;
    engine_.send(link);
    // The handler may reuse its memory as soon as this returns.
    link->codec->output().settle();
  }
}

void Exchange::flush() {
  const Engine::Lock lock(engine_.mutex());
  check_wanted();
  engine_.send(link);
  engine_.await_heartbeat(*this);
}

void Exchange::stay_open(std::chrono::milliseconds interval, std::string_view text) {
  const Engine::Lock lock(engine_.mutex());
  stream = true;
  heartbeat = text;
  heartbeat_every = interval;
  engine_.await_heartbeat(*this);
  if (!draining()) return;
  engine_.stop_stream(*this);
  engine_.interrupt();
}

bool Exchange::lacks_body() const {
  return announced_ && passed_ < *announced_;
}

void Exchange::conclude() {
  protocol::ServerCodec& codec = *link->codec;
  if (cancelled == Cancel::gone || outcome_ == Outcome::ended) {
    codec.end(id);
  } else if (outcome_ == Outcome::whole) {
    codec.head(id, *whole_head_);
    codec.body(id, whole_body_);
    codec.end(id);
  } else if (head_sent_ && !codec.take_back(id)) {
    if (lacks_body()) {
      codec.cut_short(id);
    } else {
      codec.fail(id);
    }
  } else {
    // Nobody waits for the rest of that body.
    if (cancelled == Cancel::slow) codec.close_after_response();
    engine_.answer(*link, id,
                   cancelled == Cancel::slow        ? 408
                   : cancelled == Cancel::malformed ? 400
                   : cancelled == Cancel::deadline  ? 504
                   : cancelled == Cancel::drained   ? 503
                                                    : 500);
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
