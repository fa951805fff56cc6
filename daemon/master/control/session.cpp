#include "daemon/master/control/session.hpp"

#include <cstddef>
#include <optional>
#include <utility>

#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace viaduct::daemon::master::control {

namespace {

namespace http = boost::beast::http;

/// More than a head and what Beast reads ahead of the body; bounds what one peer can make us hold.
constexpr std::size_t kReadAhead = 16 * 1024;

// The answer to bytes that are no request, or nothing when the connection is of no use any more.
std::optional<Reply> refusal(const boost::system::error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return error_reply(431, "the head of the request is too large");
  }
  if (error == http::error::body_limit) return error_reply(413, "the body is too large");
  const bool malformed =
      error.category() == http::make_error_code(http::error::bad_method).category();
  if (!malformed || error == http::error::end_of_stream || error == http::error::partial_message) {
    return std::nullopt;
  }
  return error_reply(400, "no HTTP request: " + error.message());
}

// One connection. Keeps itself alive while the peer is there.
class Session : public std::enable_shared_from_this<Session> {
 public:
  using Protocol = boost::asio::local::stream_protocol;

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

Session::Session(Protocol::socket socket, Peer peer, Api& api, const Limits& limits,
                 std::shared_ptr<Census> census)
    : stream_(std::move(socket)),
      peer_(std::move(peer)),
      api_(api),
      limits_(limits),
      census_(std::move(census)),
      reader_(!api.permission().may_change(peer_)),
      buffer_(kReadAhead) {
  ++census_->connections;
  census_->readers += reader_;
}

Session::~Session() {
  --census_->connections;
  census_->readers -= reader_;
  end_answer();
}

void Session::read() {
  request_.emplace();
  request_->header_limit(limits_.head);
  request_->body_limit(limits_.body);
  stream_.expires_after(limits_.patience);
  http::async_read(stream_, buffer_, *request_,
                   [self = shared_from_this()](const boost::system::error_code& error,
                                               std::size_t) { self->on_read(error); });
}

void Session::on_read(const boost::system::error_code& error) {
  if (error) {
    if (auto refused = refusal(error)) {
      begin_answer();
      reply(std::move(*refused), false);
    }
    return;
  }
  begin_answer();
  watch_peer();
  perform();
}

void Session::perform() {
  const auto& request = request_->get();
  const auto answer = [weak = weak_from_this()](Reply reply) {
    if (const auto self = weak.lock()) {
      self->reply(std::move(reply), self->request_->get().keep_alive());
    }
  };
  api_.handle(peer_, {request.method_string().data(), request.method_string().size()},
              {request.target().data(), request.target().size()}, request.body(), answer);
}

// While a command is carried out, only the peer's presence keeps the connection. A command whose
// peer has left is carried out all the same.
void Session::watch_peer() {
  stream_.expires_never();
  stream_.socket().async_wait(Protocol::socket::wait_error,
                              [self = shared_from_this()](const boost::system::error_code&) {});
}

void Session::reply(Reply reply, bool keep_alive) {
  stream_.socket().cancel();
  const bool head = request_ && request_->get().method() == http::verb::head;
  response_.emplace(static_cast<http::status>(reply.status), 11);
  response_->set(http::field::content_type, "application/json");
  if (!reply.allow.empty()) response_->set(http::field::allow, reply.allow);
  response_->body() = head ? "" : std::move(reply.json);
  response_->body() += head ? "" : "\n";
  response_->keep_alive(keep_alive);
  response_->prepare_payload();
  stream_.expires_after(limits_.patience);
  http::async_write(stream_, *response_,
                    [self = shared_from_this()](const boost::system::error_code& error,
                                                std::size_t) { self->on_written(error); });
}

void Session::on_written(const boost::system::error_code& error) {
  const bool keep = !error && response_->keep_alive();
  response_.reset();
  end_answer();
  if (keep) read();
}

void Session::begin_answer() {
  answering_ = true;
  ++census_->answering;
}

void Session::end_answer() {
  if (!std::exchange(answering_, false)) return;
  if (--census_->answering == 0 && census_->on_quiet) census_->on_quiet();
}

}  // namespace

void serve(boost::asio::local::stream_protocol::socket socket, Peer peer, Api& api,
           const Limits& limits, std::shared_ptr<Census> census) {
  std::make_shared<Session>(std::move(socket), std::move(peer), api, limits, std::move(census))
      ->start();
}

}  // namespace viaduct::daemon::master::control
