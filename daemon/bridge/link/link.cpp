#include "daemon/bridge/link/link.hpp"

#include <algorithm>
#include <utility>

#include "daemon/bridge/link/codecs.hpp"

namespace viaduct::daemon::bridge {

namespace fcgi = protocol::fastcgi;

Link::Link(Reactor& reactor, LinkOwner& owner, config::ServerProtocol protocol)
    : reactor_(reactor),
      owner_(owner),
      socket_(reactor, *this),
      codec_(make_client_codec(protocol)),
      memory_(reactor.memory()) {}

Link::~Link() {
  reactor_.forget(*this);
}

std::error_code Link::connect(const Destination& destination) {
  const Connecting made = connect_to(destination);
  if (made.descriptor < 0) return made.error;
  socket_.open(made.descriptor);
  socket_.watch_input(true);
  since_ = reactor_.now();
  local_ = destination.storage.ss_family == AF_UNIX;
  connecting_ = blocked_ = made.pending;
  if (made.pending) socket_.watch_output(true);
  return {};
}

void Link::ask(bool draining) {
  codec_->get_values(kWindow, draining);
  reactor_.flush_at_turn_end(*this);
}

protocol::RequestId Link::begin(Caller& caller, protocol::Role role, const protocol::Pairs& params,
                                bool keep) {
  const protocol::RequestId id = open_slot(caller);
  codec_->begin(id, role, keep);
  codec_->params(id, params);
  // The flush is not before the end of the turn, which may bring many requests.
  count_memory();
  input_ready(id);
  return id;
}

protocol::RequestId Link::begin_watched(Caller& caller, protocol::Role role,
                                        const protocol::Pairs& params, bool keep) {
  if (!local_ || blocked_ || deaf_ || !codec_->output().empty()) {
    return begin(caller, role, params, keep);
  }
  const protocol::RequestId id = open_slot(caller);
  codec_->begin(id, role, keep);
  const std::uint64_t before = written_;
  if (write()) watch_.begin(static_cast<std::size_t>(written_ - before));
  codec_->params(id, params);
  count_memory();
  input_ready(id);
  return id;
}

bool Link::unread() {
  if (!open() || !watch_.complete() || heard_since_begun_ || active_ == 0 || deaf_) return false;
  return watch_.unread(unacknowledged(socket_.descriptor()));
}

void Link::take_back(const std::string& reason) {
  taken_back_ = true;
  close(reason);
}

protocol::RequestId Link::open_slot(Caller& caller) {
  if (free_.empty()) {
    slots_.emplace_back();
    free_.push_back(static_cast<protocol::RequestId>(slots_.size()));
  }
  const protocol::RequestId id = free_.back();
  free_.pop_back();
  Slot& slot = slots_[id - 1];
  slot = Slot{};
  slot.caller = &caller;
  slot.begins_at = written_ + codec_->output().size();
  slot.begun = begun_at_ = reactor_.now();
  if (peer_window_ != 0) {
    slot.to_worker = fcgi::SendCredit(peer_window_);
    slot.from_worker = fcgi::ReceiveCredit(kWindow);
  }
  ++active_;
  begun_ = true;
  heard_since_begun_ = false;
  watch_.restart();
  return id;
}

void Link::input_ready(protocol::RequestId id) {
  Slot* slot = find(id);
  if (slot == nullptr || slot->input_done || slot->aborted) return;
  if (!std::exchange(slot->listed, true)) ready_.push_back(id);
  reactor_.flush_at_turn_end(*this);
}

std::size_t Link::offer_input(protocol::RequestId id, protocol::Bytes bytes) {
  Slot* slot = find(id);
  if (slot == nullptr || slot->aborted || !ready_.empty() || congested()) return 0;
  const std::size_t count = std::min<std::size_t>(bytes.size(), slot->to_worker.available());
  if (count == 0) return 0;
  slot->to_worker.spend(static_cast<std::uint32_t>(count));
  codec_->input(id, bytes.first(count));
  reactor_.flush_soon(*this);
  return count;
}

void Link::abort(protocol::RequestId id, bool linger) {
  Slot* slot = find(id);
  if (slot == nullptr || slot->aborted) return;
  if (peer_window_ == 0 && linger && slot->input_done && !deaf_) {
    slot->aborted = true;
    pause(false);
    return;
  }
  if (peer_window_ == 0) {
    closed_by_abort_ = true;
    close("request aborted");
    return;
  }
  slot->aborted = true;
  codec_->abort(id);
  reactor_.flush_at_turn_end(*this);
}

bool Link::trace(protocol::RequestId id) {
  const Slot* slot = find(id);
  if (slot == nullptr || slot->aborted || peer_window_ == 0) return false;
  codec_->trace(id);
  reactor_.flush_at_turn_end(*this);
  return true;
}

void Link::passed_on(protocol::RequestId id, std::uint32_t bytes) {
  Slot* slot = find(id);
  if (slot == nullptr || slot->aborted) return;
  slot->from_worker.passed_on(bytes);
  if (const std::uint32_t due = slot->from_worker.take_due(); due != 0) {
    codec_->credit(id, due);
    reactor_.flush_at_turn_end(*this);
  }
}

void Link::pause(bool paused) {
  socket_.watch_input(!paused);
}

void Link::close(const std::string& reason) {
  if (!open()) return;
  socket_.close();
  const std::size_t active = active_;
  const std::size_t lost = lose_requests();
  owner_.on_closed(*this, active, lost, reason);
}

std::size_t Link::lose_requests() {
  std::size_t lost = 0;
  for (Slot& slot : slots_) {
    if (slot.caller == nullptr) continue;
    Caller& caller = *std::exchange(slot.caller, nullptr);
    --active_;
    // An application that closes behind its last output record has answered completely.
    if (slot.output_done) {
      caller.on_end(0, fcgi::ProtocolStatus::request_complete);
    } else {
      const Lost reached = written_ > slot.begins_at ? Lost::delivered : Lost::undelivered;
      lost += caller.on_lost(taken_back_ ? Lost::unread : reached) ? 1 : 0;
    }
  }
  return lost;
}

void Link::on_readable() {
  begun_ = false;
  const auto buffer = reactor_.receive_buffer();
  const Transfer got = receive(socket_.descriptor(), buffer);
  if (got.ended) {
    codec_->finish();
    take_events();
  }
  if (got.ended || got.error) {
    close(got.ended ? "closed by the worker" : got.error.message());
    return;
  }
  if (got.bytes > 0) heard_ = heard_since_begun_ = true;
  protocol::Bytes bytes = buffer.first(got.bytes);
  while (!bytes.empty() && open()) {
    bytes = bytes.subspan(codec_->feed(bytes));
    take_events();
    if (codec_->error() != protocol::Errc::ok) {
      close(protocol::describe(codec_->error()));
      return;
    }
  }
  // Requests that took the place of ended ones go out before the responses of those are written, so
  // that the worker need not wait for that.
  if (begun_) flush();
}

void Link::take_events() {
  for (auto event = codec_->next(); open() && event.kind != protocol::ClientEvent::Kind::none;
       event = codec_->next()) {
    handle(event);
  }
}

void Link::handle(const protocol::ClientEvent& event) {
  using Kind = protocol::ClientEvent::Kind;
  if (event.kind == Kind::values) {
    owner_.on_values(*this, event.values);
    return;
  }
  Slot* slot = find(event.id);
  if (slot == nullptr) {
    if (event.kind == Kind::credit || event.kind == Kind::trace) return;
    close("record for a request that is not active");
    return;
  }
  switch (event.kind) {
    case Kind::output:
      handle_output(*slot, event.bytes);
      break;
    case Kind::output_end:
      slot->output_done = true;
      break;
    case Kind::errors:
      if (!slot->aborted) slot->caller->on_errors(event.bytes);
      break;
    case Kind::credit:
      if (!slot->to_worker.grant(event.count)) {
        close(protocol::describe(protocol::Errc::bad_credit));
      } else {
        input_ready(event.id);
      }
      break;
    case Kind::trace:
      slot->caller->on_trace(event.text);
      break;
    case Kind::end: {
      Caller& caller = *slot->caller;
      const Clock::duration taken = reactor_.now() - slot->begun;
      release(event.id);
      caller.on_end(event.app_status, event.protocol_status);
      owner_.on_request_end(*this, taken);
      break;
    }
    case Kind::values:
    case Kind::none:
      break;
  }
}

void Link::handle_output(Slot& slot, protocol::Bytes bytes) {
  // What an aborted request still had under way concerns nobody: both pools of credit are void.
  if (slot.aborted) {
    discarded_ += bytes.size();
    if (peer_window_ == 0 && discarded_ > kDiscard) {
      closed_by_abort_ = true;
      close("request aborted");
    }
    return;
  }
  if (!slot.from_worker.received(static_cast<std::uint32_t>(bytes.size()))) {
    close(protocol::describe(protocol::Errc::window_exceeded));
    return;
  }
  slot.caller->on_output(bytes);
}

void Link::release(protocol::RequestId id) {
  slots_[id - 1].caller = nullptr;
  free_.push_back(id);
  --active_;
  // The end may have been read together with what its client had no room for.
  if (peer_window_ == 0) pause(false);
}

void Link::flush() {
  if (deaf_) codec_->output().consume(codec_->output().size());
  if (!open() || blocked_ || deaf_) {
    codec_->output().settle();
    count_memory();
    return;
  }
  bool more = true;
  for (int round = 0; more && round < kRounds; ++round) {
    pump();
    more = write() && !ready_.empty();
  }
  // Others want to be served, too.
  if (more) reactor_.flush_at_turn_end(*this);
  count_memory();
}

void Link::pump() {
  // One round: whoever has more to send waits for the others first.
  for (std::size_t round = ready_.size(); round > 0 && !congested(); --round) {
    const protocol::RequestId id = ready_.front();
    ready_.pop_front();
    if (!pump_one(id)) continue;
    slots_[id - 1].listed = true;
    ready_.push_back(id);
  }
}

bool Link::pump_one(protocol::RequestId id) {
  slots_[id - 1].listed = false;
  Slot* slot = find(id);
  if (slot == nullptr || slot->input_done || slot->aborted) return false;
  const std::size_t room = std::min<std::size_t>(kTurn, slot->to_worker.available());
  if (room > 0) {
    const protocol::Bytes bytes = slot->caller->peek_input(room);
    // A body that cannot be read back aborts the request, or closes the link.
    if (find(id) == nullptr || slot->aborted) return false;
    if (!bytes.empty()) {
      slot->to_worker.spend(static_cast<std::uint32_t>(bytes.size()));
      slot->in_data ? codec_->data(id, bytes) : codec_->input(id, bytes);
      // What was peeked is only valid until the caller is asked again.
      codec_->output().settle();
      slot->caller->consume_input(bytes.size());
      slot = find(id);
      if (slot == nullptr) return false;
    }
  }
  if (slot->caller->input_complete()) return end_stream(id, *slot);
  return slot->to_worker.available() > 0 && !slot->caller->peek_input(1).empty();
}

bool Link::end_stream(protocol::RequestId id, Slot& slot) {
  if (slot.in_data) {
    codec_->data_end(id);
  } else {
    codec_->input_end(id);
    slot.in_data = slot.caller->begin_data();
    if (slot.in_data) return true;
  }
  slot.input_done = true;
  return false;
}

void Link::count_memory() {
  memory_.set(sizeof(*this) + codec_->memory() + protocol::memory_of(slots_) +
              protocol::memory_of(free_));
}

bool Link::write() {
  protocol::Output& output = codec_->output();
  const Transfer sent = send(socket_.descriptor(), output);
  written_ += sent.bytes;
  watch_.note(sent);
  if (sent.error) {
    // The worker may have answered in full without reading all of a body: what it sent before it
    // closed is still to be read, and then the end of file.
    deaf_ = true;
    socket_.watch_output(false);
    output.consume(output.size());
    return false;
  }
  output.settle();
  if (output.empty() && output.memory() > kKeptOutput) output.release();
  blocked_ = sent.blocked;
  socket_.watch_output(blocked_);
  return !blocked_;
}

void Link::on_writable() {
  if (connecting_) {
    if (const auto error = pending_error(socket_.descriptor())) {
      close(error.message());
      return;
    }
    connecting_ = false;
  }
  blocked_ = false;
  flush();
}

}  // namespace viaduct::daemon::bridge
