#include "daemon/tool/client.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace viaduct::daemon::tool {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Protocol = boost::asio::local::stream_protocol;
using Error = boost::system::error_code;

class Exchange {
 public:
  explicit Exchange(const CommandLine& line) : line_(line) {
    request_.method_string(line.question.method);
    request_.target(line.question.target);
    request_.version(11);
    request_.set(http::field::host, "viaductd");
    if (!line.question.body.empty()) {
      request_.set(http::field::content_type, "application/json");
      request_.body() = line.question.body;
    }
    request_.prepare_payload();
    parser_.body_limit(boost::none);
  }

  Answer run() {
    if (line_.timeout.count() > 0) stream_.expires_after(line_.timeout);
    connect();
    io_.run();
    if (error_) fail();
    return {static_cast<int>(parser_.get().result_int()), std::move(parser_.get().body())};
  }

 private:
  void connect() {
    const bool abstract = line_.control.kind == config::Address::Kind::unix_abstract;
    const Protocol::endpoint endpoint((abstract ? std::string(1, '\0') : "") + line_.control.name);
    stream_.async_connect(endpoint, step("connect", [this] { write(); }));
  }
  // Who turns us away may have closed before we wrote: what it had to say is there all the same.
  void write() {
    http::async_write(stream_, request_, [this](const Error& error, std::size_t) {
      if (error == beast::error::timeout) {
        error_ = error;
      } else {
        read();
      }
    });
  }
  void read() {
    http::async_read(stream_, buffer_, parser_, step("read", [this] {
                       const bool ends = line_.until_closed && parser_.get().result_int() == 200;
                       if (ends) wait_for_end();
                     }));
  }
  void wait_for_end() {
    stream_.async_read_some(buffer_.prepare(1), [this](const Error& error, std::size_t) {
      if (error == beast::error::timeout) error_ = error;
    });
  }

  template <class Next>
  struct Step {
    Exchange& exchange;
    const char* what;
    Next next;
    void operator()(const Error& error, std::size_t = 0) {
      exchange.what_ = what;
      exchange.error_ = error;
      if (!error) next();
    }
  };
  template <class Next>
  Step<Next> step(const char* what, Next next) {
    return {*this, what, std::move(next)};
  }

  [[noreturn]] void fail() const {
    const std::string address = config::format(line_.control);
    if (error_ == beast::error::timeout) {
      throw TimedOut(address + ": no answer in time; what was asked for may still happen");
    }
    if (error_ == http::error::end_of_stream || error_ == http::error::partial_message) {
      throw Unreachable(address + ": the connection was closed before the answer");
    }
    throw Unreachable(address + ": " + what_ + ": " + error_.message());
  }

  const CommandLine& line_;
  boost::asio::io_context io_{1};
  beast::basic_stream<Protocol> stream_{io_};
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response_parser<http::string_body> parser_;
  const char* what_ = "";
  Error error_;
};

}  // namespace

Answer ask(const CommandLine& line) {
  return Exchange(line).run();
}

}  // namespace viaduct::daemon::tool
