// The answering half of ServerCodec.

#include <algorithm>

#include "protocol/cgi_head.hpp"
#include "protocol/fastcgi/server_codec.hpp"

namespace viaduct::protocol::fastcgi {

ActiveRequest* ServerCodec::answerable(RequestId id) {
  ActiveRequest* const request = requests_.find(id);
  const bool due = request != nullptr && request->reported && !request->failed && !broken_;
  return due ? request : nullptr;
}

void ServerCodec::head(RequestId id, const ResponseHead& head) {
  if (answerable(id) == nullptr) return;
  answer_at_ = writer_.output().appended();
  scratch_.clear();
  write_cgi_head(head, scratch_);
  Bytes bytes = as_bytes(scratch_);
  // The scratch text is reused by the next head, so that it may not be referred to.
  while (!bytes.empty()) {
    const Bytes piece = bytes.first(std::min(bytes.size(), Output::kReferAtLeast - 1));
    writer_.stream(FCGI_STDOUT, id, piece);
    bytes = bytes.subspan(piece.size());
  }
  if (memory_of(scratch_) > Pairs::kWorthKeeping) give_back(scratch_);
}

void ServerCodec::body(RequestId id, Bytes bytes) {
  if (answerable(id) != nullptr) writer_.stream(FCGI_STDOUT, id, bytes);
}

void ServerCodec::errors(RequestId id, Bytes bytes) {
  ActiveRequest* const request = answerable(id);
  if (request == nullptr || bytes.empty()) return;
  request->errors_sent = true;
  writer_.stream(FCGI_STDERR, id, bytes);
}

void ServerCodec::end(RequestId id, std::uint32_t app_status) {
  ActiveRequest* const request = answerable(id);
  if (request == nullptr) return;
  if (request->errors_sent) writer_.stream_end(FCGI_STDERR, id);
  writer_.stream_end(FCGI_STDOUT, id);
  finish(id, app_status, ProtocolStatus::request_complete);
}

void ServerCodec::fail(RequestId id) {
  ActiveRequest* const request = answerable(id);
  if (request == nullptr) return;
  if (window_agreed_) return finish(id, 1, ProtocolStatus::request_complete);
  request->failed = true;
  request->input = Input::skipping;
  ++failed_;
  break_when_alone();
}

void ServerCodec::break_when_alone() {
  if (failed_ == 0 || failed_ < requests_.size()) return;
  writer_.broken();
  broken_ = true;
  requests_.clear();
  params_memory_ = 0;
}

void ServerCodec::cut_short(RequestId id) {
  if (answerable(id) == nullptr) return;
  if (!is_nginx_) return fail(id);
  finish(id, 1, ProtocolStatus::request_complete);
}

bool ServerCodec::take_back(RequestId id) {
  ActiveRequest* const request = answerable(id);
  const bool alone = !multiplexed_ && !window_agreed_;
  const std::uint64_t consumed = writer_.output().consumed();
  const bool untouched = consumed == reported_at_;
  if (request == nullptr || !alone || (!untouched && consumed != answer_at_)) return false;
  writer_.output().consume(writer_.output().size());
  if (untouched) request->errors_sent = false;
  return true;
}

void ServerCodec::overloaded(RequestId id) {
  if (answerable(id) != nullptr) finish(id, 0, ProtocolStatus::overloaded);
}

void ServerCodec::credit(RequestId id, std::uint32_t bytes) {
  if (window_agreed_ && answerable(id) != nullptr) writer_.credit(id, bytes);
}

void ServerCodec::trace(RequestId id, std::string_view text) {
  if (window_agreed_ && answerable(id) != nullptr) writer_.trace(id, text);
}

Output& ServerCodec::output() {
  return writer_.output();
}

Errc ServerCodec::error() const {
  return error_;
}

bool ServerCodec::closing() const {
  if (broken_) return true;
  if (requests_.size() > 0) return false;
  // The front sends nothing new without FCGI_KEEP_CONN; what the owner wants must not cut off a
  // request that has begun to arrive.
  return close_when_idle_ || (close_asked_ && reader_.at_boundary());
}

void ServerCodec::close_after_response() {
  close_asked_ = true;
}

bool ServerCodec::idle() const {
  return requests_.size() == 0 && reader_.at_boundary() && next_event_ == event_count_ &&
         error_ == Errc::ok;
}

bool ServerCodec::multiplexed() const {
  return multiplexed_;
}

}  // namespace viaduct::protocol::fastcgi
