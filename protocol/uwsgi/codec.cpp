#include "protocol/uwsgi/codec.hpp"

#include <algorithm>

#include "protocol/cgi_head.hpp"

namespace viaduct::protocol::uwsgi {
namespace {

constexpr std::uint32_t kPacketHeader = 4;
constexpr std::uint32_t kLength = 2;
constexpr char kRequest = 0;  // modifier1

}  // namespace

ServerCodec::ServerCodec(const Limits& limits)
    : OneRequestCodec(write_http_head),
      limits_(limits),
      variables_(limits_),
      wanted_(kPacketHeader) {}

void ServerCodec::take_head(std::string_view& text) {
  const std::size_t step = std::min<std::size_t>(wanted_ - part_.size(), text.size());
  part_.append(text.substr(0, step));
  text.remove_prefix(step);
  if (part_.size() < wanted_) return;
  const bool length = state_ == State::name_length || state_ == State::value_length;
  if (length && number(0) > left_) return break_connection(Errc::bad_header_block);
  switch (state_) {
    case State::packet_header:
      return take_packet_header();
    case State::name_length:
      return take_name_length();
    case State::name:
      name_.swap(part_);
      return expect(State::value_length, kLength);
    case State::value_length:
      return take_value_length();
    case State::value:
      return take_value();
  }
}

void ServerCodec::take_packet_header() {
  if (part_.front() != kRequest) return break_connection(Errc::unknown_modifier);
  left_ = number(1);
  if (left_ == 0) return finish_head();
  expect(State::name_length, kLength);
}

void ServerCodec::take_name_length() {
  const std::uint32_t size = number(0);
  if (size == 0) return refuse(Errc::bad_param_name);
  if (size > limits_.name) return refuse(Errc::param_name_too_long);
  expect(State::name, size);
}

void ServerCodec::take_value_length() {
  const std::uint32_t size = number(0);
  const Errc error = variables_.admit(name_.size(), size);
  if (error != Errc::ok) return refuse(error);
  expect(State::value, size);
  // No byte will come for an empty value.
  if (size == 0 && in_head()) take_value();
}

void ServerCodec::take_value() {
  variables_.add(name_, part_);
  if (left_ == 0) return finish_head();
  expect(State::name_length, kLength);
}

void ServerCodec::expect(State state, std::uint32_t size) {
  if (size > left_) return break_connection(Errc::bad_header_block);
  state_ = state;
  wanted_ = size;
  left_ -= size;
  part_.clear();
}

std::uint32_t ServerCodec::number(std::size_t at) const {
  return static_cast<unsigned char>(part_[at]) |
         static_cast<std::uint32_t>(static_cast<unsigned char>(part_[at + 1])) << 8;
}

std::size_t ServerCodec::head_memory() const {
  return variables_.memory() + memory_of(part_) + memory_of(name_) + head_.params.memory();
}

void ServerCodec::finish_head() {
  const Errc error = variables_.finish(head_);
  variables_.reset();
  if (error != Errc::ok) return refuse(error);
  begin_body(head_);
}

}  // namespace viaduct::protocol::uwsgi
