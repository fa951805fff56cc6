#include "daemon/bridge/front/connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "daemon/bridge/dispatch/exchange_list.hpp"
#include "daemon/bridge/front/connection_list.hpp"
#include "daemon/bridge/front/peer.hpp"
#include "daemon/bridge/front/refusal.hpp"
#include "protocol/absolute_target.hpp"
#include "protocol/forwarded.hpp"
#include "protocol/refusal.hpp"

namespace viaduct::daemon::bridge {

namespace {

/// Unsent response bytes above which a connection is not read: several windows, because a front
/// server may write a whole body before it reads.
constexpr std::size_t kOutputLimit = 1024 * 1024;
/// What is received at once: also what a request whose body is not wanted may still be given.
constexpr std::size_t kReceive = 64 * 1024;
constexpr auto kLinger = std::chrono::seconds(30);
/// As long as one that is refused may take: others wait for its descriptor.
constexpr auto kRefuse = std::chrono::seconds(2);

}  // namespace

Connection::Connection(Front& front, ConnectionList& list, int descriptor, Standing standing)
    : front_(front),
      reactor_(front.services.reactor),
      list_(list),
      socket_(reactor_, *this),
      codec_(front.make_codec(descriptor)),
      proxy_header_(standing.proxy_header ? std::make_unique<protocol::ProxyHeaderReader>()
                                          : nullptr),
      memory_(reactor_.memory()),
      trusted_(standing.trusted),
      proxied_(standing.proxy_header),
      patience_(front.settings.protocol == config::FrontProtocol::http, reactor_.now()),
      send_patience_(config::Timeouts{}.send) {
  socket_.open(descriptor);
  socket_.watch_input(true);
}

Connection::~Connection() {
  reactor_.forget(*this);
}

// ---- reading

void Connection::on_readable() {
  const auto buffer = reactor_.receive_buffer().first(kReceive);
  const Transfer got = receive(socket_.descriptor(), buffer);
  if (got.ended || got.error) {
    close();
    return;
  }
  if (!lingering_) feed(buffer.first(got.bytes));
  watch_input();
  count_memory();
}

void Connection::watch_input() {
  socket_.watch_input(lingering_ || wants_input());
}

void Connection::feed(protocol::Bytes bytes) {
  if (proxy_header_ != nullptr && !take_proxy_header(bytes)) return;
  while (!bytes.empty() && socket_.is_open()) {
    bytes = bytes.subspan(codec_->feed(bytes));
    take_events();
    if (codec_->error() != protocol::Errc::ok) {
      close_malformed(protocol::describe(codec_->error()));
      return;
    }
  }
  submit_new();
  if (!codec_->output().empty() || codec_->closing()) reactor_.flush_soon(*this);
}

// Returns whether the rest of the bytes is for the codec.
bool Connection::take_proxy_header(protocol::Bytes& bytes) {
  using State = protocol::ProxyHeaderReader::State;
  bytes = bytes.subspan(proxy_header_->feed(protocol::as_text(bytes)));
  switch (proxy_header_->state()) {
    case State::reading:
      return false;
    case State::absent:
      close_malformed("a trusted peer begins without a PROXY protocol header");
      return false;
    case State::bad:
      close_malformed(protocol::describe(protocol::Errc::bad_proxy_header));
      return false;
    case State::done:
      break;
  }
  const bool admitted = introduce(proxy_header_->header());
  proxy_header_.reset();
  if (!admitted) close();
  return admitted;
}

// The peer is whom the proxy names: a proxy that is trusted, or a client that is not. Bytes of
// somebody whom it cannot name must not count as its own. Returns whether it may have one more
// connection.
bool Connection::introduce(const protocol::ProxyHeader& header) {
  if (header.local) return true;
  trusted_ = false;
  if (header.source.empty()) return true;
  const Ends ends{peer_at(header.source, header.source_port),
                  peer_at(header.destination, header.destination_port)};
  trusted_ = matches(front_.settings.trusted, ends.peer);
  if (!trusted_ && front_.counts_clients() && !front_.enter(ends.peer, place_)) {
    list_.report_excess(*this, ends.peer);
    return false;
  }
  codec_ = front_.make_codec(ends);
  return true;
}

void Connection::take_events() {
  for (auto event = codec_->next(); event.kind != protocol::Event::Kind::none;
       event = codec_->next()) {
    handle(event);
  }
}

void Connection::handle(const protocol::Event& event) {
  using Kind = protocol::Event::Kind;
  if (event.kind == Kind::request) {
    begin(event.id, *event.head);
    return;
  }
  if (event.kind == Kind::refused) {
    answer_refused(event.id, event.error);
    return;
  }
  if (event.kind == Kind::growth) {
    count_memory();
    return;
  }
  Entry* entry = find(event.id);
  if (entry == nullptr) return;
  switch (event.kind) {
    case Kind::body:
    case Kind::data:
      entry->exchange->input(event.bytes);
      break;
    case Kind::body_end:
      if (entry->exchange->head().role == protocol::Role::filter) {
        entry->exchange->input_split();
        break;
      }
      [[fallthrough]];
    case Kind::data_end:
      entry->input_ended = true;
      entry->exchange->input_end();
      break;
    case Kind::abort: {
      Exchange& exchange = *entry->exchange;
      entry->input_ended = true;
      end_entry(event.id);
      const bool answered = exchange.answered();
      const bool left = event.error == protocol::Errc::ok;
      exchange.abandon(left ? 0 : protocol::refusal_status(event.error));
      if (left) {
        codec_->end(event.id);
      } else if (answered) {
        codec_->fail(event.id);
      } else {
        answer_refused(event.id, event.error);
      }
      break;
    }
    default:
      break;
  }
}

void Connection::begin(protocol::RequestId id, protocol::RequestHead& head) {
  patience_.request_began(reactor_.now());
  const bool with_body = wants_head_body() || head.params.get("REQUEST_METHOD") != "HEAD";
  if (refuses_all()) return refuse(id, 503, with_body);
  const config::BridgeListener& listener = front_.settings;
  protocol::take_absolute_target(head.params);
  if (protocol::settle_client(listener.forwarded, listener.trusted, trusted_, head.params)) {
    front_.services.scores.contradictory.fetch_add(1, std::memory_order_relaxed);
  }
  // The head is swapped with one that is used again.
  if (const auto odd = std::exchange(head.odd_fields, 0); odd > 0) {
    front_.services.scores.odd_fields.fetch_add(odd, std::memory_order_relaxed);
  }
  const Route* route = front_.routes.find(head.params);
  if (route == nullptr) return refuse(id, 404, with_body);
  if (front_.services.use.memory.refusing()) {
    front_.apps[route->app]->report_refusal("limits.memory is reached");
    return refuse(id, 503, with_body);
  }
  Dispatcher& dispatcher = *front_.apps[route->app];
  send_patience_.begin(dispatcher.settings().timeouts.send,
                       entries_.empty() && codec_->output().empty());
  apply_mount(*route, head.params);
  const auto& overrides = dispatcher.settings().params;
  apply_overrides(overrides, trusted_, head.params);
  tell_delivery(listener.send_file, trusted_ || !overrides.empty(), head.params);
  Exchange& exchange = front_.services.exchanges.add(front_.services);
  exchange.begin(dispatcher, route->lane, *this, id, head);
  entries_.push_back({id, &exchange, false, false});
}

void Connection::submit_new() {
  // Not before all of what was received is known: most requests are then complete, which decides
  // whether a plain worker's connection may be kept, and saves a second write to the link.
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (std::exchange(entries_[i].submitted, true)) continue;
    Exchange& exchange = *entries_[i].exchange;
    const std::size_t before = entries_.size();
    exchange.submit();
    if (entries_.size() < before) --i;
  }
}

void Connection::answer_refused(protocol::RequestId id, protocol::Errc error) {
  list_.report(*this, protocol::describe(error));
  refuse(id, protocol::refusal_status(error));
}

void Connection::refuse(protocol::RequestId id, int status, bool with_body) {
  const bool last = refuses_all() || (front_.draining && !list_.has_successor());
  if (last) codec_->close_after_response();
  // Its body may still be coming.
  input_cut_ = true;
  answer(*codec_, id, status, with_body);
}

void Connection::close_malformed(std::string_view error) {
  front_.services.scores.malformed.fetch_add(1, std::memory_order_relaxed);
  list_.report(*this, error);
  close();
}

bool Connection::wants_input() {
  bool wanted = unsent() <= kOutputLimit && codec_->wants_input();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Exchange& exchange = *entries_[i].exchange;
    if (entries_[i].input_ended || exchange.wants_input()) continue;
    if (!codec_->multiplexed()) {
      wanted = false;
      continue;
    }
    // Without a temporary file the request fails, and its entry goes.
    const std::size_t before = entries_.size();
    exchange.spool_input();
    if (entries_.size() < before) --i;
  }
  return wanted;
}

Connection::Entry* Connection::find(protocol::RequestId id) {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [id](const Entry& e) { return e.id == id; });
  return found == entries_.end() ? nullptr : &*found;
}

void Connection::end_entry(protocol::RequestId id) {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [id](const Entry& e) { return e.id == id; });
  if (found == entries_.end()) return;
  if (!found->input_ended) input_cut_ = true;
  entries_.erase(found);
  // It may have been the one for which reading paused, and the client writes before it reads.
  if (input_cut_) watch_input();
}

// ---- the end

void Connection::reset() {
  const ::linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close();
}

void Connection::linger() {
  if (std::exchange(lingering_, true)) return;
  ::shutdown(socket_.descriptor(), SHUT_WR);
  linger_until_ = reactor_.now() + kLinger;
  watch_input();
}

void Connection::tick(Clock::time_point now) {
  if (lingering_ && now >= linger_until_) close();
  if (refuses_all() && now >= refuse_until_) close();
  if (lose_send_patience(now)) return;
  if (!front_.draining || !idle()) return lose_patience(now);
  if (list_.has_successor() && movable()) {
    list_.retire(*this);
  } else if (now >= list_.idle_until()) {
    close();
  }
}

void Connection::lose_patience(Clock::time_point now) {
  using Verdict = Patience::Verdict;
  const bool busy = lingering_ || !entries_.empty() || !codec_->output().empty();
  const Verdict verdict = patience_.tick(now, busy, between_requests());
  if (verdict == Verdict::wait) return;
  if (verdict == Verdict::slow_head) list_.report(*this, "the head of a request is not completed");
  close();
}

bool Connection::lose_send_patience(Clock::time_point now) {
  if (!blocked_ || !send_patience_.due(now)) return false;
  if (!send_patience_.expired(now, unacknowledged(socket_.descriptor()))) return false;
  list_.report_unread(*this);
  // Where end of file looks like the end of a response, a reset does not.
  reset();
  return true;
}

bool Connection::idle() const {
  return socket_.is_open() && !lingering_ && entries_.empty() && between_requests() &&
         codec_->output().empty();
}

std::optional<Expendable<Connection>> Connection::expendable() {
  using Candidate = Expendable<Connection>;
  if (front_.settings.protocol != config::FrontProtocol::http) return std::nullopt;
  if (lingering_) return Candidate{this, Candidate::State::answered, linger_until_ - kLinger};
  if (!idle() && !only_head()) return std::nullopt;
  const auto state = codec_->idle() ? Candidate::State::idle : Candidate::State::in_head;
  return Candidate{this, state, patience_.since()};
}

void Connection::refuse_all() {
  refuse_until_ = reactor_.now() + kRefuse;
}

void Connection::drain() {
  if (idle()) {
    list_.retire(*this);
  } else if (!list_.has_successor()) {
    codec_->close_after_response();
  }
}

int Connection::surrender() {
  const int descriptor = socket_.release();
  list_.remove(*this);
  return descriptor;
}

void Connection::count_memory() {
  // What is closed is about to be destroyed.
  const std::size_t header = proxy_header_ ? proxy_header_->memory() : 0;
  memory_.set(socket_.is_open() ? codec_->memory() + protocol::memory_of(entries_) + header : 0);
}

void Connection::release_memory() {
  if (!idle()) return;
  codec_->release();
  protocol::give_back(entries_);
  count_memory();
}

void Connection::abandon_all() {
  const auto entries = std::exchange(entries_, {});
  for (const Entry& entry : entries) entry.exchange->abandon();
}

void Connection::close() {
  if (!socket_.is_open()) return;
  socket_.close();
  place_ = {};
  abandon_all();
  count_memory();
  list_.remove(*this);
}

}  // namespace viaduct::daemon::bridge
