#include <charconv>
#include <cstdint>
#include <limits>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "sdk/src/chars.hpp"
#include "sdk/src/testing/transport.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {
namespace {

namespace http = boost::beast::http;

std::string hexadecimal(std::size_t number) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, 16);
  return {digits, end.ptr};
}

// Of the connection, or made by the server: not the application's.
bool of_this_hop(std::string_view name) {
  for (const char* const known : {"Connection", "Date", "Keep-Alive", "Transfer-Encoding"}) {
    if (detail::equal_nocase(name, known)) return true;
  }
  return false;
}

class HttpTransport final : public Transport {
 public:
  HttpTransport() {
    parser_.eager(true);
    parser_.body_limit(boost::none);
    parser_.header_limit(std::numeric_limits<std::uint32_t>::max());
  }

  void begin(const Outgoing& request) override {
    parser_.skip(request.method == "HEAD");
    std::string head = request.method + ' ' + request.target + " HTTP/1.1\r\n";
    const auto append = [&head](std::string_view name, std::string_view value) {
      head.append(name).append(": ").append(value).append("\r\n");
    };
    for (const auto& [name, value] : request.fields.items()) append(name, value);
    if (!request.id.empty()) append("X-Request-Id", request.id);
    if (request.chunked) {
      append("Transfer-Encoding", "chunked");
    } else if (request.announces_length() && !request.fields.get("Content-Length")) {
      append("Content-Length", std::to_string(request.body_size()));
    }
    output_.copy(head + "\r\n");
    for (const std::string& piece : request.pieces) {
      if (piece.empty()) continue;
      if (request.chunked) output_.copy(hexadecimal(piece.size()) + "\r\n");
      output_.refer(protocol::as_bytes(piece));
      if (request.chunked) output_.copy("\r\n");
    }
    if (request.chunked) output_.copy("0\r\n\r\n");
  }

  protocol::Output& output() override { return output_; }

  void feed(protocol::Bytes bytes, ReplyBuilder& reply) override {
    untaken_ += protocol::as_text(bytes);
    boost::system::error_code error;
    while (!untaken_.empty() && !done()) {
      const std::size_t taken =
          parser_.put(boost::asio::buffer(untaken_.data(), untaken_.size()), error);
      untaken_.erase(0, taken);
      if (error == http::error::need_more || taken == 0) break;
      broken_ = broken_ || error.failed();
    }
    pass_on(reply);
  }

  void end_of_file(ReplyBuilder& reply) override {
    boost::system::error_code error;
    parser_.put_eof(error);
    broken_ = broken_ || !parser_.is_done() || error.failed();
    pass_on(reply);
  }

  [[nodiscard]] bool done() const override { return broken_ || parser_.is_done(); }

 private:
  void pass_on(ReplyBuilder& reply) {
    if (!parser_.is_header_done()) return;
    if (!headed_) {
      headed_ = true;
      protocol::ResponseHead head;
      head.status = static_cast<int>(parser_.get().result_int());
      for (const auto& field : parser_.get().base()) {
        const std::string_view name(field.name_string().data(), field.name_string().size());
        if (!of_this_hop(name)) head.fields.add(name, {field.value().data(), field.value().size()});
      }
      reply.head(head);
    }
    std::string& body = parser_.get().body();
    reply.body(protocol::as_bytes(body));
    body.clear();
    if (parser_.is_done() && !broken_) reply.end();
  }

  http::response_parser<http::string_body> parser_;
  protocol::Output output_;
  std::string untaken_;
  bool headed_ = false;
  bool broken_ = false;
};

}  // namespace

std::unique_ptr<Transport> make_http_transport() {
  return std::make_unique<HttpTransport>();
}

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
