#include "protocol/http/request_head.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include <boost/beast/http/basic_parser.hpp>

#include "protocol/host_port.hpp"
#include "protocol/text.hpp"

namespace viaduct::protocol::http {
namespace {

namespace beast = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

std::string_view view(string_view text) {
  return {text.data(), text.size()};
}

// The parser hands out what it finds; it stops behind the head.
class Parser final : public beast::basic_parser<true> {
 public:
  explicit Parser(WireHead& head) : head_(head) {
    header_limit((std::numeric_limits<std::uint32_t>::max)());
    body_limit(boost::none);
  }

 private:
  void on_request_impl(beast::verb, string_view method, string_view target, int version,
                       error_code&) override {
    head_.method = view(method);
    head_.target = view(target);
    head_.http11 = version == 11;
  }
  void on_field_impl(beast::field, string_view name, string_view value, error_code&) override {
    head_.fields.push_back({view(name), view(value)});
  }
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  WireHead& head_;
};

// `HTTP/2.0` and the like are versions that nobody here speaks, anything else is malformed.
bool names_a_version(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\r'));
  const std::string_view version = line.substr(line.rfind(' ') + 1);
  const auto digit = [&](std::size_t at) { return version[at] >= '0' && version[at] <= '9'; };
  return std::count(line.begin(), line.end(), ' ') == 2 && version.size() == 8 &&
         version.starts_with("HTTP/") && digit(5) && version[6] == '.' && digit(7);
}

// Of a minor version beyond 1: the text as one of HTTP/1.1. Else empty.
std::string as_http11(std::string_view text) {
  const std::size_t end = text.find('\r');
  if (end == std::string_view::npos || !names_a_version(text)) return {};
  if (!text.substr(0, end - 1).ends_with("HTTP/1.") || text[end - 1] < '2') return {};
  std::string same(text);
  same[end - 1] = '1';
  return same;
}

Errc translate(const error_code& error, std::string_view text) {
  if (!error) return Errc::ok;
  if (error == beast::error::bad_version) {
    return names_a_version(text) ? Errc::unknown_version : Errc::bad_request_line;
  }
  if (error == beast::error::bad_method || error == beast::error::bad_target) {
    return Errc::bad_request_line;
  }
  if (error == beast::error::bad_content_length || error == beast::error::multiple_content_length ||
      error == beast::error::bad_transfer_encoding) {
    return Errc::ambiguous_length;
  }
  return Errc::bad_field_line;
}

struct Counts {
  unsigned host = 0;
  unsigned length = 0;
  unsigned coding = 0;
};

Errc check_field(const WireHead::Field& field, WireHead& head, Counts& counts) {
  if (equal_nocase(field.name, "Host")) {
    if (++counts.host > 1 || !is_authority(field.value)) return Errc::bad_host;
  } else if (equal_nocase(field.name, "Content-Length")) {
    const auto length = parse_decimal(field.value);
    if (++counts.length > 1 || !length) return Errc::ambiguous_length;
    head.length = *length;
  } else if (equal_nocase(field.name, "Transfer-Encoding")) {
    if (++counts.coding > 1 || !head.http11) return Errc::ambiguous_length;
    if (!equal_nocase(field.value, "chunked")) return Errc::unknown_coding;
    head.chunked = true;
  } else if (equal_nocase(field.name, "Expect")) {
    if (!equal_nocase(field.value, "100-continue")) return Errc::unknown_expectation;
    head.expect_continue = head.http11;
  }
  return Errc::ok;
}

Errc check_head(const Parser& parser, WireHead& head) {
  if (!parser.is_header_done()) return Errc::bad_field_line;
  head.keep_alive = parser.keep_alive();
  Counts counts;
  for (const WireHead::Field& field : head.fields) {
    const Errc wrong = check_field(field, head, counts);
    if (wrong != Errc::ok) return wrong;
  }
  if (head.http11 && counts.host == 0) return Errc::bad_host;
  if (counts.coding > 0 && counts.length > 0) return Errc::ambiguous_length;
  return Errc::ok;
}

Errc parse_later(std::string text, WireHead& head) {
  head = {};
  head.as_http11 = std::move(text);
  Parser parser(head);
  error_code error;
  parser.put({head.as_http11.data(), head.as_http11.size()}, error);
  return error ? translate(error, head.as_http11) : check_head(parser, head);
}

}  // namespace

Errc parse_head(std::string_view text, WireHead& head) {
  head = {};
  Parser parser(head);
  error_code error;
  parser.put({text.data(), text.size()}, error);
  if (error == beast::error::bad_version) {
    std::string same = as_http11(text);
    if (!same.empty()) return parse_later(std::move(same), head);
  }
  if (error) return translate(error, text);
  return check_head(parser, head);
}

}  // namespace viaduct::protocol::http
