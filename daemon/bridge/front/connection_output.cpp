// The answering half of Connection.

#include "daemon/bridge/dispatch/exchange.hpp"
#include "daemon/bridge/front/connection.hpp"
#include "daemon/bridge/front/connection_list.hpp"

namespace viaduct::daemon::bridge {

void Connection::respond_head(protocol::RequestId id, const protocol::ResponseHead& head) {
  if (front_.draining && !list_.has_successor()) codec_->close_after_response();
  const std::size_t room = backlog_room();
  codec_->head(id, head);
  added_to_output(room);
}

void Connection::respond_body(protocol::RequestId id, protocol::Bytes bytes) {
  const std::size_t room = backlog_room();
  codec_->body(id, bytes);
  added_to_output(room);
}

void Connection::respond_copy(protocol::RequestId id, protocol::Bytes bytes) {
  codec_->body(id, bytes);
  codec_->output().settle();
  count_memory();
  reactor_.flush_at_turn_end(*this);
}

void Connection::respond_errors(protocol::RequestId id, protocol::Bytes bytes) {
  const std::size_t room = backlog_room();
  codec_->errors(id, bytes);
  added_to_output(room);
}

void Connection::respond_end(protocol::RequestId id, std::uint32_t app_status) {
  end_entry(id);
  const std::size_t room = backlog_room();
  codec_->end(id, app_status);
  added_to_output(room);
}

void Connection::respond_fail(protocol::RequestId id) {
  end_entry(id);
  codec_->fail(id);
  reactor_.flush_soon(*this);
}

void Connection::respond_short(protocol::RequestId id) {
  end_entry(id);
  codec_->cut_short(id);
  reactor_.flush_soon(*this);
}

// Zero while the socket takes everything.
std::size_t Connection::backlog_room() const {
  return blocked_ ? codec_->output().memory() : 0;
}

// One event may add a few bytes to the backlogs of many connections, each of which may grow to
// twice its size: count that before the next grows.
void Connection::added_to_output(std::size_t room_before) {
  if (blocked_ && codec_->output().memory() != room_before) count_memory();
  reactor_.flush_soon(*this);
}

void Connection::want_body(protocol::RequestId id) {
  codec_->want_body(id);
  if (!codec_->output().empty()) reactor_.flush_soon(*this);
}

// FastCGI skips the rest of a body by its request's id; SCGI and uwsgi always close.
void Connection::close_after_response() {
  if (front_.settings.protocol == config::FrontProtocol::http) codec_->close_after_response();
}

void Connection::resume_input(protocol::RequestId) {
  watch_input();
}

std::size_t Connection::unsent() const {
  return codec_->output().size();
}

void Connection::flush() {
  if (!socket_.is_open()) return;
  protocol::Output& output = codec_->output();
  if (!blocked_) {
    const Transfer sent = send(socket_.descriptor(), output);
    if (sent.error) {
      close();
      return;
    }
    if (sent.bytes > 0) taken_at_ = reactor_.now();
    // Also with nothing taken: bytes begin to wait.
    if (!output.empty()) send_patience_.restart(reactor_.now());
  }
  output.settle();
  blocked_ = !output.empty();
  socket_.watch_output(blocked_);
  if (!blocked_) {
    output.release();
    finish_output();
  }
  count_memory();
}

void Connection::on_writable() {
  blocked_ = false;
  flush();
}

void Connection::finish_output() {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    // The last stored bytes of a response may end it, and its entry goes.
    const std::size_t before = entries_.size();
    entries_[i].exchange->output_drained();
    if (entries_.size() < before) --i;
  }
  if (entries_.empty()) {
    // What came before the response had ended (HTTP pipelining).
    take_events();
    submit_new();
    if (!codec_->output().empty()) return reactor_.flush_soon(*this);
  }
  if (codec_->closing() && entries_.empty()) {
    if (codec_->reset_on_close()) {
      reset();
    } else if (input_cut_ || codec_->unread()) {
      linger();
    } else {
      close();
    }
    return;
  }
  if (entries_.empty()) input_cut_ = false;
  watch_input();
  if (front_.draining && idle()) list_.retire(*this);
}

}  // namespace viaduct::daemon::bridge
