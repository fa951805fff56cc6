#include "protocol/http/codec.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::protocol::http {
namespace {

constexpr RequestId kId = 1;
// Bytes of later requests beyond which no more are welcome.
constexpr std::size_t kMaxHeld = 64 * 1024;
constexpr std::size_t kKeptHeld = 4096;

}  // namespace

ServerCodec::ServerCodec(ServerOptions options)
    : options_(std::move(options)),
      variables_(options_.limits),
      head_reader_(options_.limits.params) {}

std::size_t ServerCodec::feed(Bytes bytes) {
  if (next_event_ < event_count_) return 0;
  next_event_ = 0;
  event_count_ = 0;
  if (closing()) return bytes.size();
  std::string_view text = as_text(bytes);
  if (!held().empty()) {
    held_.erase(0, std::exchange(held_at_, 0));
    held_.append(text);
    std::string_view rest = held_;
    advance(rest);
    held_at_ = held_.size() - rest.size();
    return bytes.size();
  }
  held_.clear();
  held_at_ = 0;
  if (memory_of(held_) > kKeptHeld) give_back(held_);
  advance(text);
  if (input_ != Input::answering) return bytes.size() - text.size();
  held_ = text;
  return bytes.size();
}

Event ServerCodec::next() {
  if (next_event_ == event_count_ && !held().empty() && !closing()) {
    next_event_ = 0;
    event_count_ = 0;
    std::string_view rest = held();
    advance(rest);
    held_at_ = held_.size() - rest.size();
  }
  if (next_event_ < event_count_) return events_[next_event_++];
  return {};
}

void ServerCodec::advance(std::string_view& text) {
  while (!text.empty() && event_count_ == 0 && input_ != Input::answering) {
    switch (input_) {
      case Input::head:
        take_head(text);
        break;
      case Input::length:
        take_length(text);
        break;
      case Input::chunked:
        take_chunked(text);
        break;
      case Input::answering:
        break;
      case Input::ignored:
        text = {};
        break;
    }
  }
}

void ServerCodec::take_head(std::string_view& text) {
  text.remove_prefix(head_reader_.feed(text));
  if (head_reader_.error() != Errc::ok) return refuse(head_reader_.error());
  if (head_reader_.done()) begin_request();
}

void ServerCodec::begin_request() {
  WireHead wire;
  Errc error = parse_head(head_reader_.text(), wire);
  head_only_ = wire.method == "HEAD";
  http11_ = wire.http11;
  if (error == Errc::ok) {
    error =
        add_variables(wire, options_.connection, options_.odd_names, variables_, head_.odd_fields);
  }
  if (error == Errc::ok) error = variables_.finish(head_);
  variables_.reset();
  if (error != Errc::ok) return refuse(error);
  head_.transfer_coded = wire.chunked;
  persistent_ = wire.keep_alive;
  answer_ = Answer::due;
  length_left_ = wire.length;
  if (!wire.chunked) head_.content_length = wire.length;
  const bool of_the_server = concerns_server(wire);
  if (!of_the_server) report({.kind = Event::Kind::request, .id = kId, .head = &head_});
  if (wire.chunked) {
    chunks_ = ChunkedReader();
    input_ = Input::chunked;
  } else if (length_left_ > 0) {
    input_ = Input::length;
  } else {
    if (of_the_server) answer_for_server();
    return finish_input();
  }
  awaits_continue_ = wire.expect_continue;
  if (of_the_server) answer_for_server();
}

// To who asks about no resource (RFC 9110 section 9.3.7).
void ServerCodec::answer_for_server() {
  ResponseHead answer;
  answer.status = 204;
  head(kId, answer);
  end(kId, 0);
}

void ServerCodec::take_length(std::string_view& text) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(length_left_, text.size()));
  length_left_ -= size;
  take_content(text.substr(0, size));
  text.remove_prefix(size);
  if (length_left_ == 0) finish_input();
}

void ServerCodec::take_chunked(std::string_view& text) {
  const ChunkedReader::Piece piece = chunks_.feed(text);
  text.remove_prefix(piece.taken);
  take_content(piece.content);
  if (chunks_.done()) return finish_input();
  if (chunks_.error() == Errc::ok) return;
  input_ = Input::ignored;
  persistent_ = false;
  broken_body_ = true;
  if (answer_ == Answer::ended) {
    done_ = true;
  } else {
    report({.kind = Event::Kind::abort, .id = kId, .error = chunks_.error()});
  }
}

// What comes behind the end of the response is skipped.
void ServerCodec::take_content(std::string_view content) {
  awaits_continue_ = false;
  if (content.empty() || answer_ == Answer::ended) return;
  report({.kind = Event::Kind::body, .id = kId, .bytes = as_bytes(content)});
}

void ServerCodec::finish_input() {
  awaits_continue_ = false;
  if (answer_ == Answer::ended) return next_request();
  input_ = persistent_ ? Input::answering : Input::ignored;
  report({.kind = Event::Kind::body_end, .id = kId});
}

void ServerCodec::next_request() {
  input_ = done_ ? Input::ignored : Input::head;
  answer_ = Answer::none;
  head_reader_.reset();
  http11_ = true;
  head_only_ = false;
}

void ServerCodec::refuse(Errc error) {
  input_ = Input::ignored;
  persistent_ = false;
  answer_ = Answer::due;
  report({.kind = Event::Kind::refused, .id = kId, .error = error});
}

std::size_t ServerCodec::memory() const {
  return variables_.memory() + output_.memory() + head_reader_.memory() + head_.params.memory() +
         memory_of(held_);
}

void ServerCodec::release() {
  if (!idle()) return;
  variables_.release();
  output_.release();
  head_reader_.release();
  give_back(head_.params);
  give_back(held_);
  held_at_ = 0;
}

bool ServerCodec::wants_input() const {
  return held().size() < kMaxHeld;
}

bool ServerCodec::idle() const {
  return input_ == Input::head && head_reader_.empty() && held().empty();
}

}  // namespace viaduct::protocol::http
