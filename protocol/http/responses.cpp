// The responses of http::ServerCodec.

#include <algorithm>
#include <array>
#include <charconv>

#include "protocol/cgi_head.hpp"
#include "protocol/http/codec.hpp"
#include "protocol/text.hpp"

namespace viaduct::protocol::http {
namespace {

constexpr RequestId kId = 1;
constexpr int kResetContent = 205;
// Outstanding bytes of a request's body that are read in order to keep the connection.
constexpr std::uint64_t kWorthReading = 64 * 1024;

// Fields that say how the message is framed or what becomes of the connection.
bool concerns_connection(std::string_view name) {
  constexpr std::array<std::string_view, 7> kNames = {
      "Connection", "Keep-Alive",        "Proxy-Connection", "TE",
      "Trailer",    "Transfer-Encoding", "Upgrade"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [name](std::string_view known) { return equal_nocase(known, name); });
}

}  // namespace

bool ServerCodec::answerable(RequestId id) const {
  return id == kId && (answer_ == Answer::due || answer_ == Answer::begun);
}

void ServerCodec::want_body(RequestId id) {
  if (id != kId || answer_ != Answer::due || !awaits_continue_) return;
  awaits_continue_ = false;
  output_.copy(std::string_view("HTTP/1.1 100 Continue\r\n\r\n"));
}

void ServerCodec::choose_framing(const ResponseHead& head) {
  answer_left_ = head.content_length.value_or(0);
  if (head_only_ || contentless(head.status)) {
    framing_ = Framing::nothing;
  } else if (head.content_length) {
    framing_ = Framing::length;
  } else if (http11_) {
    framing_ = Framing::chunked;
  } else {
    framing_ = Framing::until_close;
  }
}

void ServerCodec::stop_after_this() {
  persistent_ = false;
  if (input_ == Input::answering) input_ = Input::ignored;
}

void ServerCodec::head(RequestId id, const ResponseHead& head) {
  if (id != kId || answer_ != Answer::due) return;
  answer_ = Answer::begun;
  answer_at_ = output_.appended();
  choose_framing(head);
  const bool much_to_come = input_ == Input::chunked || length_left_ > kWorthReading;
  const bool unread = in_body() && (awaits_continue_ || much_to_come);
  if (framing_ == Framing::until_close || close_when_idle_ || unread) stop_after_this();

  ResponseHead sent;
  sent.status = head.status;
  sent.reason = head.reason;
  for (const auto [name, value] : head.fields) {
    const bool untrue = (head.status == 204 || head.status == kResetContent) &&
                        equal_nocase(name, "Content-Length");
    if (!untrue && !concerns_connection(name)) sent.fields.add(name, value);
  }
  // Unlike 204 it does not end with its head.
  if (head.status == kResetContent) sent.fields.add("Content-Length", "0");
  if (options_.date && !head.fields.find_nocase("Date")) {
    if (const std::string_view date = options_.date(); !date.empty()) sent.fields.add("Date", date);
  }
  if (framing_ == Framing::chunked) sent.fields.add("Transfer-Encoding", "chunked");
  if (!persistent_) {
    sent.fields.add("Connection", "close");
  } else if (!http11_) {
    sent.fields.add("Connection", "keep-alive");
  }
  std::string text;
  write_http_head(sent, text);
  output_.copy(text);
}

void ServerCodec::body(RequestId id, Bytes bytes) {
  if (id != kId || answer_ != Answer::begun) return;
  switch (framing_) {
    case Framing::nothing:
      return;
    case Framing::length:
      bytes = bytes.first(
          static_cast<std::size_t>(std::min<std::uint64_t>(answer_left_, bytes.size())));
      answer_left_ -= bytes.size();
      break;
    case Framing::chunked: {
      if (bytes.empty()) return;  // an empty chunk would be the last one
      std::array<char, 18> line;
      char* end = std::to_chars(line.data(), line.data() + 16, bytes.size(), 16).ptr;
      *end++ = '\r';
      *end++ = '\n';
      output_.copy(std::string_view(line.data(), static_cast<std::size_t>(end - line.data())));
      output_.refer(bytes);
      output_.copy(std::string_view("\r\n"));
      return;
    }
    case Framing::until_close:
      break;
  }
  output_.refer(bytes);
}

void ServerCodec::errors(RequestId, Bytes) {}

void ServerCodec::end(RequestId id, std::uint32_t) {
  if (!answerable(id)) return;
  const bool too_short = framing_ == Framing::length && answer_left_ > 0;
  if (answer_ == Answer::due || too_short) return fail(id);
  if (framing_ == Framing::chunked) output_.copy(std::string_view("0\r\n\r\n"));
  answer_ = Answer::ended;
  if (!persistent_) {
    done_ = true;
  } else if (input_ == Input::answering) {
    next_request();
  }
}

void ServerCodec::fail(RequestId id) {
  if (!answerable(id)) return;
  reset_ = answer_ == Answer::begun && framing_ == Framing::until_close;
  answer_ = Answer::ended;
  stop_after_this();
  done_ = true;
}

bool ServerCodec::take_back(RequestId id) {
  if (!answerable(id) || answer_ != Answer::begun || output_.consumed() != answer_at_) return false;
  output_.consume(output_.size());
  answer_ = Answer::due;
  return true;
}

bool ServerCodec::closing() const {
  return done_ || (close_when_idle_ && idle());
}

}  // namespace viaduct::protocol::http
