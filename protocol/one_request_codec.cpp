#include "protocol/one_request_codec.hpp"

#include <algorithm>

namespace viaduct::protocol {

std::size_t OneRequestCodec::feed(Bytes bytes) {
  if (next_event_ < event_count_ || error_ != Errc::ok) return 0;
  next_event_ = 0;
  event_count_ = 0;
  if (closing()) return bytes.size();
  begun_ = begun_ || !bytes.empty();
  std::string_view text = as_text(bytes);
  while (!text.empty() && event_count_ == 0 && error_ == Errc::ok) {
    switch (phase_) {
      case Phase::head:
        take_head(text);
        break;
      case Phase::body: {
        const auto step =
            static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, text.size()));
        take_body(as_bytes(text.substr(0, step)));
        text.remove_prefix(step);
        break;
      }
      case Phase::ignored:
        return bytes.size();
    }
  }
  return bytes.size() - text.size();
}

Event OneRequestCodec::next() {
  if (next_event_ < event_count_) return events_[next_event_++];
  return {};
}

void OneRequestCodec::begin_body(RequestHead& head) {
  body_left_ = head.content_length.value_or(0);
  phase_ = Phase::body;
  reported_ = true;
  report({.kind = Event::Kind::request, .id = kId, .head = &head});
  if (body_left_ > 0) return;
  phase_ = Phase::ignored;
  report({.kind = Event::Kind::body_end, .id = kId});
}

void OneRequestCodec::take_body(Bytes bytes) {
  body_left_ -= bytes.size();
  report({.kind = Event::Kind::body, .id = kId, .bytes = bytes});
  if (body_left_ > 0) return;
  phase_ = Phase::ignored;
  report({.kind = Event::Kind::body_end, .id = kId});
}

void OneRequestCodec::refuse(Errc error) {
  phase_ = Phase::ignored;
  reported_ = true;
  report({.kind = Event::Kind::refused, .id = kId, .error = error});
}

void OneRequestCodec::head(RequestId id, const ResponseHead& head) {
  if (!answerable(id)) return;
  std::string text;
  write_head_(head, text);
  output_.copy(text);
}

void OneRequestCodec::body(RequestId id, Bytes bytes) {
  if (answerable(id)) output_.refer(bytes);
}

void OneRequestCodec::errors(RequestId, Bytes) {}

void OneRequestCodec::end(RequestId id, std::uint32_t) {
  if (answerable(id)) answered_ = true;
}

void OneRequestCodec::fail(RequestId id) {
  if (!answerable(id)) return;
  output_.consume(output_.size());
  cut_short(id);
}

void OneRequestCodec::cut_short(RequestId id) {
  if (!answerable(id)) return;
  answered_ = true;
  failed_ = true;
}

bool OneRequestCodec::take_back(RequestId id) {
  if (!answerable(id) || output_.consumed() > 0) return false;
  output_.consume(output_.size());
  return true;
}

bool OneRequestCodec::closing() const {
  return answered_ || (close_when_idle_ && idle());
}

}  // namespace viaduct::protocol
