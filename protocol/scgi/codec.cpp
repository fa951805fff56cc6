#include "protocol/scgi/codec.hpp"

#include <algorithm>
#include <utility>

#include "protocol/cgi_head.hpp"
#include "protocol/text.hpp"

namespace viaduct::protocol::scgi {
namespace {

constexpr RequestId kId = 1;
constexpr std::uint8_t kMaxDigits = 10;
constexpr std::string_view kContentLength = "CONTENT_LENGTH";
constexpr std::string_view kScgi = "SCGI";

// Every variable takes two terminators besides what Limits::params counts.
std::uint64_t block_limit(const Limits& limits) {
  return limits.params + 2 * std::uint64_t{limits.count};
}

}  // namespace

ServerCodec::ServerCodec(const Limits& limits) : limits_(limits), variables_(limits_) {}

std::size_t ServerCodec::feed(Bytes bytes) {
  if (next_event_ < event_count_ || error_ != Errc::ok) return 0;
  next_event_ = 0;
  event_count_ = 0;
  if (closing()) return bytes.size();
  std::string_view text = as_text(bytes);
  while (!text.empty() && event_count_ == 0 && error_ == Errc::ok) {
    switch (state_) {
      case State::size:
        take_size(text);
        break;
      case State::variables:
        take_variables(text);
        break;
      case State::comma:
        take_comma(text);
        break;
      case State::body: {
        const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(left_, text.size()));
        take_body(as_bytes(text.substr(0, step)));
        text.remove_prefix(step);
        break;
      }
      case State::ignored:
        return bytes.size();
    }
  }
  return bytes.size() - text.size();
}

Event ServerCodec::next() {
  if (next_event_ < event_count_) return events_[next_event_++];
  return {};
}

void ServerCodec::take_size(std::string_view& text) {
  const char c = text.front();
  text.remove_prefix(1);
  if (c == ':' && digits_ > 0) {
    state_ = left_ > 0 ? State::variables : State::comma;
    if (left_ > block_limit(limits_)) refuse(Errc::params_too_large);
    return;
  }
  const bool leading_zero = digits_ > 0 && left_ == 0;
  if (c < '0' || c > '9' || leading_zero || digits_ == kMaxDigits) {
    error_ = Errc::bad_netstring;
    return;
  }
  left_ = left_ * 10 + static_cast<std::uint64_t>(c - '0');
  ++digits_;
}

void ServerCodec::take_variables(std::string_view& text) {
  std::string_view block = text.substr(0, std::min<std::uint64_t>(left_, text.size()));
  const std::size_t before = block.size();
  const bool complete = in_value_
                            ? take_part(block, value_, limits_.value, Errc::param_value_too_long)
                            : take_part(block, name_, limits_.name, Errc::param_name_too_long);
  text.remove_prefix(before - block.size());
  left_ -= before - block.size();
  if (complete && in_value_) {
    take_variable();
    name_.clear();
    value_.clear();
  }
  if (complete) in_value_ = !in_value_;
  if (state_ != State::variables || left_ > 0 || error_ != Errc::ok) return;
  if (in_value_ || !name_.empty()) {
    error_ = Errc::bad_header_block;
  } else {
    state_ = State::comma;
  }
}

// Moves bytes up to a NUL from `block` to `part`; true when the NUL was there.
bool ServerCodec::take_part(std::string_view& block, std::string& part, std::uint64_t limit,
                            Errc over) {
  const std::size_t end = block.find('\0');
  const std::string_view bytes = block.substr(0, end);
  if (bytes.size() > limit - part.size()) {
    refuse(over);
    return false;
  }
  part.append(bytes);
  block.remove_prefix(end == std::string_view::npos ? block.size() : end + 1);
  return end != std::string_view::npos;
}

void ServerCodec::take_variable() {
  const bool length = name_ == kContentLength;
  if (length == std::exchange(any_variable_, true) || (length && !parse_decimal(value_))) {
    error_ = Errc::bad_content_length;
    return;
  }
  if (name_.empty()) {
    error_ = Errc::bad_header_block;
    return;
  }
  if (name_ == kScgi && (value_ != "1" || std::exchange(marked_, true))) {
    error_ = Errc::not_scgi;
    return;
  }
  const Errc error = variables_.admit(name_.size(), value_.size());
  if (error != Errc::ok) return refuse(error);
  variables_.add(name_, value_);
}

void ServerCodec::take_comma(std::string_view& text) {
  const char c = text.front();
  text.remove_prefix(1);
  if (c != ',') {
    error_ = Errc::bad_netstring;
  } else if (!any_variable_) {
    error_ = Errc::bad_content_length;
  } else if (!marked_) {
    error_ = Errc::not_scgi;
  } else {
    begin_request();
  }
}

void ServerCodec::begin_request() {
  const Errc error = variables_.finish(head_);
  variables_.reset();
  if (error != Errc::ok) return refuse(error);
  left_ = head_.content_length.value_or(0);
  state_ = State::body;
  reported_ = true;
  report({.kind = Event::Kind::request, .id = kId, .head = &head_});
  if (left_ > 0) return;
  state_ = State::ignored;
  report({.kind = Event::Kind::body_end, .id = kId});
}

void ServerCodec::take_body(Bytes bytes) {
  left_ -= bytes.size();
  report({.kind = Event::Kind::body, .id = kId, .bytes = bytes});
  if (left_ > 0) return;
  state_ = State::ignored;
  report({.kind = Event::Kind::body_end, .id = kId});
}

void ServerCodec::refuse(Errc error) {
  state_ = State::ignored;
  reported_ = true;
  report({.kind = Event::Kind::refused, .id = kId, .error = error});
}

bool ServerCodec::answerable(RequestId id) const {
  return id == kId && reported_ && !answered_;
}

void ServerCodec::head(RequestId id, const ResponseHead& head) {
  if (!answerable(id)) return;
  std::string text;
  write_cgi_head(head, text);
  output_.copy(text);
}

void ServerCodec::body(RequestId id, Bytes bytes) {
  if (answerable(id)) output_.refer(bytes);
}

void ServerCodec::errors(RequestId, Bytes) {}

void ServerCodec::end(RequestId id, std::uint32_t) {
  if (answerable(id)) answered_ = true;
}

void ServerCodec::fail(RequestId id) {
  if (!answerable(id)) return;
  output_.consume(output_.size());
  answered_ = true;
  failed_ = true;
}

Output& ServerCodec::output() {
  return output_;
}

Errc ServerCodec::error() const {
  return error_;
}

bool ServerCodec::closing() const {
  return answered_ || (close_when_idle_ && idle());
}

void ServerCodec::close_after_response() {
  close_when_idle_ = true;
}

bool ServerCodec::idle() const {
  return state_ == State::size && digits_ == 0;
}

bool ServerCodec::multiplexed() const {
  return false;
}

bool ServerCodec::reset_on_close() const {
  return failed_;
}

}  // namespace viaduct::protocol::scgi
