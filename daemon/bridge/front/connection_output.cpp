// The answering half of Connection.

#include "daemon/bridge/dispatch/exchange.hpp"
#include "daemon/bridge/front/connection.hpp"
#include "daemon/bridge/front/connection_list.hpp"

namespace viaduct::daemon::bridge {

void Connection::respond_head(protocol::RequestId id, const protocol::ResponseHead& head) {
  if (front_.draining && !list_.has_successor()) codec_->close_after_response();
  codec_->head(id, head);
  reactor_.flush_soon(*this);
}

void Connection::respond_body(protocol::RequestId id, protocol::Bytes bytes) {
  codec_->body(id, bytes);
  reactor_.flush_soon(*this);
}

void Connection::respond_errors(protocol::RequestId id, protocol::Bytes bytes) {
  codec_->errors(id, bytes);
  reactor_.flush_soon(*this);
}

void Connection::respond_end(protocol::RequestId id, std::uint32_t app_status) {
  end_entry(id);
  codec_->end(id, app_status);
  reactor_.flush_soon(*this);
}

void Connection::respond_fail(protocol::RequestId id) {
  end_entry(id);
  codec_->fail(id);
  reactor_.flush_soon(*this);
}

void Connection::want_body(protocol::RequestId id) {
  codec_->want_body(id);
  if (!codec_->output().empty()) reactor_.flush_soon(*this);
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
  for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].exchange->output_drained();
  if (entries_.empty()) {
    // What came before the response had ended (HTTP pipelining).
    take_events();
    submit_new();
    if (!codec_->output().empty()) return reactor_.flush_soon(*this);
  }
  if (codec_->closing() && entries_.empty()) {
    if (codec_->reset_on_close()) {
      reset();
    } else if (input_cut_) {
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
