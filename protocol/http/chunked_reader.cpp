#include "protocol/http/chunked_reader.hpp"

#include <algorithm>

#include "protocol/text.hpp"

namespace viaduct::protocol::http {
namespace {

constexpr std::uint32_t kMaxDigits = 16;  // of a number of 64 bits
constexpr std::uint32_t kMaxSkipped = 4096;

// The value of a hexadecimal digit, or -1.
int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkedReader::Piece ChunkedReader::feed(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && !done() && error_ == Errc::ok) {
    if (state_ != State::content) {
      take(bytes[at++]);
      continue;
    }
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
    left_ -= size;
    if (left_ == 0) state_ = State::content_cr;
    return {at + size, bytes.substr(at, size)};
  }
  return {at, {}};
}

void ChunkedReader::take(char c) {
  switch (state_) {
    case State::size:
      return take_size(c);
    case State::extension:
      if (c != '\r') return skip(c);
      state_ = State::size_end;
      return;
    case State::size_end:
      if (c != '\n') break;
      return begin_content();
    case State::content_cr:
      return expect(c, '\r', State::content_lf);
    case State::content_lf:
      return expect(c, '\n', State::size);
    case State::trailer_start:
    case State::trailer_name:
    case State::trailer:
      return take_trailer(c);
    case State::trailer_end:
      return expect(c, '\n', State::trailer_start);
    case State::last_lf:
      return expect(c, '\n', State::done);
    case State::content:
    case State::done:
      return;
  }
  error_ = Errc::bad_chunk;
}

void ChunkedReader::take_size(char c) {
  const int value = hex(c);
  if (value >= 0) {
    left_ = left_ << 4 | static_cast<std::uint64_t>(value);
    if (++digits_ > kMaxDigits) error_ = Errc::bad_chunk;
    return;
  }
  if (digits_ == 0) {
    error_ = Errc::bad_chunk;
  } else if (c == '\r') {
    state_ = State::size_end;
  } else if (c == ';') {
    state_ = State::extension;
  } else {
    error_ = Errc::bad_chunk;
  }
}

void ChunkedReader::begin_content() {
  digits_ = 0;
  skipped_ = 0;
  state_ = left_ > 0 ? State::content : State::trailer_start;
}

void ChunkedReader::take_trailer(char c) {
  if (c == '\r' && state_ == State::trailer_start) {
    state_ = State::last_lf;
  } else if (state_ == State::trailer) {
    if (c != '\r') return skip(c);
    state_ = State::trailer_end;
  } else if (c == ':' && state_ == State::trailer_name) {
    state_ = State::trailer;
    skip(c);
  } else if (is_token_char(c)) {
    state_ = State::trailer_name;
    skip(c);
  } else {
    error_ = Errc::bad_chunk;
  }
}

void ChunkedReader::skip(char c) {
  if (c == '\n' || c == '\0' || ++skipped_ > kMaxSkipped) error_ = Errc::bad_chunk;
}

void ChunkedReader::expect(char c, char wanted, State then) {
  if (c != wanted) {
    error_ = Errc::bad_chunk;
    return;
  }
  state_ = then;
}

}  // namespace viaduct::protocol::http
