#include "protocol/scgi/codec.hpp"

#include <algorithm>
#include <utility>

#include "protocol/cgi_head.hpp"
#include "protocol/text.hpp"

namespace viaduct::protocol::scgi {
namespace {

constexpr std::uint8_t kMaxDigits = 10;
constexpr std::string_view kContentLength = "CONTENT_LENGTH";
constexpr std::string_view kScgi = "SCGI";

// Every variable takes two terminators besides what Limits::params counts.
std::uint64_t block_limit(const Limits& limits) {
  return limits.params + 2 * std::uint64_t{limits.count};
}

}  // namespace

ServerCodec::ServerCodec(const Limits& limits)
    : OneRequestCodec(write_cgi_head), limits_(limits), variables_(limits_) {}

void ServerCodec::take_head(std::string_view& text) {
  switch (state_) {
    case State::size:
      return take_size(text);
    case State::variables:
      return take_variables(text);
    case State::comma:
      return take_comma(text);
  }
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
    break_connection(Errc::bad_netstring);
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
  if (!in_head() || left_ > 0) return;
  if (in_value_ || !name_.empty()) {
    break_connection(Errc::bad_header_block);
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
    break_connection(Errc::bad_content_length);
    return;
  }
  if (name_.empty()) {
    break_connection(Errc::bad_header_block);
    return;
  }
  if (name_ == kScgi && (value_ != "1" || std::exchange(marked_, true))) {
    break_connection(Errc::not_scgi);
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
    break_connection(Errc::bad_netstring);
  } else if (!any_variable_) {
    break_connection(Errc::bad_content_length);
  } else if (!marked_) {
    break_connection(Errc::not_scgi);
  } else {
    finish_head();
  }
}

std::size_t ServerCodec::head_memory() const {
  return variables_.memory() + memory_of(name_) + memory_of(value_) + head_.params.memory();
}

void ServerCodec::finish_head() {
  const Errc error = variables_.finish(head_);
  variables_.reset();
  if (error != Errc::ok) return refuse(error);
  begin_body(head_);
}

}  // namespace viaduct::protocol::scgi
