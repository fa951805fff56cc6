#include "tests/support/trace.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "protocol/fastcgi/server_codec.hpp"
#include "protocol/http/codec.hpp"

namespace viaduct::test {
namespace {

using protocol::as_text;
using protocol::Bytes;
using protocol::Errc;

constexpr std::size_t kShown = 120;
constexpr std::size_t kEverySplit = 1500;

void require(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

// Lines of a trace; adjacent content of the same kind and request is joined.
class Lines {
 public:
  void line(const std::string& text) {
    flush();
    text_ += text + "\n";
  }
  void content(const std::string& label, Bytes bytes) {
    if (label != label_) flush();
    label_ = label;
    content_ += as_text(bytes);
  }
  std::string finish() {
    flush();
    return std::move(text_);
  }

 private:
  void flush() {
    if (!label_.empty()) text_ += label_ + " " + show(content_) + "\n";
    label_.clear();
    content_.clear();
  }

  std::string text_;
  std::string label_;
  std::string content_;
};

std::string show_pairs(const protocol::Pairs& pairs) {
  std::string text;
  for (const auto [name, value] : pairs) text += " " + show(name) + "=" + show(value);
  return text;
}

std::string show_error(Errc error) {
  return error == Errc::ok ? "" : std::string(" (") + describe(error) + ")";
}

void trace_event(Lines& lines, const protocol::Event& event) {
  using Kind = protocol::Event::Kind;
  const std::string id = std::to_string(event.id);
  switch (event.kind) {
    case Kind::request: {
      const auto& length = event.head->content_length;
      lines.line("request " + id + " role " +
                 std::to_string(static_cast<unsigned>(event.head->role)) + " length " +
                 (length ? std::to_string(*length) : "unknown") + show_pairs(event.head->params));
      break;
    }
    case Kind::body:
      lines.content("body " + id, event.bytes);
      break;
    case Kind::body_end:
      lines.line("body_end " + id);
      break;
    case Kind::data:
      lines.content("data " + id, event.bytes);
      break;
    case Kind::data_end:
      lines.line("data_end " + id);
      break;
    case Kind::abort:
      lines.line("abort " + id + show_error(event.error));
      break;
    case Kind::refused:
      lines.line("refused " + id + show_error(event.error));
      break;
    case Kind::window:
      lines.line("window " + std::to_string(event.count));
      break;
    case Kind::credit:
      lines.line("credit " + id + " " + std::to_string(event.count));
      break;
    case Kind::draining:
      lines.line("draining");
      break;
    case Kind::trace:
      lines.line("trace " + id);
      break;
    case Kind::growth:  // where it comes depends on how the input is cut
    case Kind::none:
      break;
  }
}

void trace_event(Lines& lines, const protocol::fastcgi::ClientEvent& event) {
  using Kind = protocol::fastcgi::ClientEvent::Kind;
  const std::string id = std::to_string(event.id);
  const auto number = [](const auto& value) { return value ? std::to_string(*value) : "-"; };
  switch (event.kind) {
    case Kind::values:
      lines.line("values " + number(event.values.max_conns) + " " + number(event.values.max_reqs) +
                 " " + number(event.values.multiplexes) + " " + number(event.values.window) + " " +
                 number(event.values.prefetch));
      break;
    case Kind::output:
      lines.content("output " + id, event.bytes);
      break;
    case Kind::output_end:
      lines.line("output_end " + id);
      break;
    case Kind::errors:
      lines.content("errors " + id, event.bytes);
      break;
    case Kind::end:
      lines.line("end " + id + " " + std::to_string(event.app_status) + " " +
                 std::to_string(static_cast<unsigned>(event.protocol_status)));
      break;
    case Kind::credit:
      lines.line("credit " + id + " " + std::to_string(event.count));
      break;
    case Kind::trace:
      lines.line("trace " + id + " " + show(event.text));
      break;
    case Kind::none:
      break;
  }
}

void require_borrowed(Bytes borrowed, Bytes from) {
  if (borrowed.empty()) return;
  require(borrowed.data() >= from.data() &&
              borrowed.data() + borrowed.size() <= from.data() + from.size(),
          "an event's bytes lie outside the bytes fed");
}

// Drives one codec through its documented order of calls.
template <class Codec, class OnEvent, class OnPiece>
std::string drive(Codec& codec, const std::vector<std::string_view>& pieces, bool silent_owner,
                  bool may_hold, OnEvent on_event, OnPiece on_piece) {
  Lines lines;
  std::size_t fed = 0;
  std::string output;
  for (const std::string_view piece : pieces) {
    // A copy of its own size, so that reading past the end of what was fed does not go unnoticed.
    const std::vector<std::byte> memory(protocol::as_bytes(piece).begin(),
                                        protocol::as_bytes(piece).end());
    Bytes bytes(memory);
    while (!bytes.empty() && codec.error() == Errc::ok) {
      const std::size_t taken = codec.feed(bytes);
      require(taken <= bytes.size(), "feed took more than it was given");
      const Bytes given = bytes;
      bool any = false;
      while (true) {
        const auto event = codec.next();
        if (event.kind == decltype(event.kind)::none) break;
        any = true;
        if (!may_hold) require_borrowed(event.bytes, given);
        trace_event(lines, event);
        on_event(event);
      }
      require(taken > 0 || any || codec.error() != Errc::ok, "feed made no progress");
      bytes = bytes.subspan(taken);
      fed += taken;
    }
    codec.output().settle();
    output += drain(codec.output());
    on_piece();
  }
  require(!silent_owner || output.size() <= 2 * fed, "the codec talks more than its peer");
  if (codec.error() != Errc::ok) lines.line("error" + show_error(codec.error()));
  lines.line("wrote " + show(output));
  return lines.finish();
}

// Now and then, so that what is kept is used, too.
void check_release(protocol::ServerCodec& codec) {
  codec.release();
  // Not of queries that a FastCGI server has been told to hold.
  const bool idle = codec.idle() && codec.error() == Errc::ok;
  const bool holds = dynamic_cast<protocol::fastcgi::ServerCodec*>(&codec) != nullptr;
  require(!idle || holds || codec.memory() == 0, "an idle codec holds memory");
}

}  // namespace

std::vector<std::string_view> cut(std::string_view bytes, const std::vector<std::size_t>& sizes) {
  std::vector<std::string_view> pieces;
  for (const std::size_t size : sizes) {
    pieces.push_back(bytes.substr(0, size));
    bytes.remove_prefix(std::min(size, bytes.size()));
  }
  pieces.push_back(bytes);
  return pieces;
}

std::vector<std::string_view> single_bytes(std::string_view bytes) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < bytes.size(); ++i) pieces.push_back(bytes.substr(i, 1));
  return pieces;
}

std::string error(protocol::Errc value) {
  return "error (" + std::string(protocol::describe(value)) + ")\nwrote \n";
}

std::string refused(protocol::Errc value) {
  return "refused 1 (" + std::string(protocol::describe(value)) + ")\nwrote \n";
}

std::string drain(protocol::Output& output, std::size_t step) {
  std::string bytes;
  std::array<Bytes, 4> pieces;
  while (!output.empty()) {
    const std::size_t filled = output.gather(pieces);
    std::size_t left = step;
    for (std::size_t i = 0; i < filled && left > 0; ++i) {
      const Bytes piece = pieces[i].first(std::min(left, pieces[i].size()));
      bytes += as_text(piece);
      left -= piece.size();
    }
    require(left < step, "output is not empty and yields nothing");
    output.consume(step - left);
  }
  return bytes;
}

std::string show(std::string_view bytes) {
  if (bytes.size() > kShown) {
    return "<" + std::to_string(bytes.size()) + " bytes, hash " +
           std::to_string(std::hash<std::string_view>{}(bytes)) + ">";
  }
  std::string text;
  for (const char c : bytes) {
    if (c >= ' ' && c <= '~' && c != '\\') {
      text.push_back(c);
      continue;
    }
    std::array<char, 5> escaped{};
    std::snprintf(escaped.data(), escaped.size(), "\\x%02x", static_cast<unsigned char>(c));
    text += escaped.data();
  }
  return text;
}

std::string trace(protocol::ServerCodec& codec, const std::vector<std::string_view>& pieces,
                  const Handler& handler) {
  const bool may_hold = dynamic_cast<protocol::http::ServerCodec*>(&codec) != nullptr;
  unsigned count = 0;
  std::string text = drive(
      codec, pieces, !handler, may_hold,
      [&](const protocol::Event& event) {
        if (handler) handler(codec, event);
      },
      [&] {
        if (++count % 2 == 0) check_release(codec);
      });
  return codec.closing() ? text + "closing\n" : text;
}

std::string trace(protocol::ClientCodec& codec, const std::vector<std::string_view>& pieces) {
  return drive(
      codec, pieces, codec.output().empty(), false, [](const protocol::fastcgi::ClientEvent&) {},
      [] {});
}

std::string trace(protocol::CgiHeadReader& reader, const std::vector<std::string_view>& pieces) {
  std::string rest;
  for (const std::string_view piece : pieces) {
    const std::vector<std::byte> memory(protocol::as_bytes(piece).begin(),
                                        protocol::as_bytes(piece).end());
    const std::size_t taken = reader.feed(memory);
    require(taken <= piece.size(), "feed took more than it was given");
    if (reader.error() != Errc::ok) return "error" + show_error(reader.error()) + "\n";
    require(taken == piece.size() || reader.done(), "feed made no progress");
    rest += piece.substr(taken);
  }
  if (!reader.done()) return "incomplete\n";
  const protocol::ResponseHead& head = reader.head();
  return "status " + std::to_string(head.status) + " [" + show(head.reason) + "]" + " length " +
         (head.content_length ? std::to_string(*head.content_length) : "unknown") +
         show_pairs(head.fields) + "\nrest " + show(rest) + "\n";
}

namespace detail {

std::string trace_at_every_split(const TraceOnce& once, std::string_view bytes) {
  std::string whole = once({bytes});
  const auto compare = [&](const std::string& pieces, const std::string& other) {
    if (other == whole) return;
    throw std::logic_error("fed " + pieces + ":\n" + other + "fed whole:\n" + whole);
  };
  compare("byte by byte", once(single_bytes(bytes)));
  const std::size_t step = bytes.size() <= kEverySplit ? 1 : bytes.size() / 199;
  for (std::size_t at = 1; at < bytes.size(); at += step) {
    compare("cut at " + std::to_string(at), once(cut(bytes, {at})));
  }
  return whole;
}

}  // namespace detail

}  // namespace viaduct::test
