#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "daemon/master/control/api.hpp"

namespace viaduct::daemon::master::control {

struct Limits {
  std::uint32_t head = 8 * 1024;   ///< bytes of a request's head; beyond: 431
  std::uint64_t body = 64 * 1024;  ///< bytes of its body; beyond: 413
  std::size_t connections = 32;
  std::size_t readers = 16;  ///< of these, at most, peers that may only read
  /// For a whole request from the moment it may come, and for its answer to be taken. Beyond, the
  /// connection is closed.
  std::chrono::milliseconds patience{10'000};
};

/// How many connections there are. Shared by the server and its sessions.
struct Census {
  std::size_t connections = 0;
  std::size_t readers = 0;
  std::size_t answering = 0;       ///< connections whose answer has not been taken yet
  std::function<void()> on_quiet;  ///< called when `answering` becomes zero
};

/// One connection to the control socket: HTTP/1.1, one request after the other. Keeps itself alive
/// while the peer is there.
class Session : public std::enable_shared_from_this<Session> {
 public:
  using Protocol = boost::asio::local::stream_protocol;

  /// `api` is borrowed and outlives the event loop's last turn.
  Session(Protocol::socket socket, Peer peer, Api& api, const Limits& limits,
          std::shared_ptr<Census> census);
  ~Session();

  void start() { read(); }

 private:
  using Stream = boost::beast::basic_stream<Protocol>;
  using Request = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;

  void read();
  void on_read(const boost::system::error_code& error);
  void perform();
  void watch_peer();
  void reply(Reply reply, bool keep_alive);
  void on_written(const boost::system::error_code& error);
  void begin_answer();
  void end_answer();

  Stream stream_;
  Peer peer_;
  Api& api_;
  Limits limits_;
  std::shared_ptr<Census> census_;
  bool reader_;
  bool answering_ = false;
  boost::beast::flat_buffer buffer_;
  std::optional<Request> request_;
  std::optional<Response> response_;
};

}  // namespace viaduct::daemon::master::control
