#include "people.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <viaduct/async.hpp>
#include <viaduct/errors.hpp>
#include <viaduct/request.hpp>
#include <viaduct/response.hpp>

namespace compose {
namespace {

namespace asio = boost::asio;
using asio::use_awaitable;
using asio::ip::tcp;
using viaduct::Request;
using viaduct::Response;

constexpr std::size_t kMaxName = 32;
constexpr std::size_t kMaxAnswer = 64 * 1024;

struct Answer {
  int status = 200;
  std::string text;
};

// What stands in the line that is sent must not end it, nor ask for another server (`@host`).
std::string checked(std::string name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
  if (!plain || name.size() > kMaxName) throw viaduct::http_error(400, "That is nobody's name.");
  return name;
}

asio::awaitable<std::string> talk(const FingerServer& server, std::string line) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver(executor);
  tcp::socket socket(executor);
  co_await asio::async_connect(
      socket, co_await resolver.async_resolve(server.host, server.port, use_awaitable),
      use_awaitable);
  co_await asio::async_write(socket, asio::buffer(line), use_awaitable);
  std::string text;
  boost::system::error_code end;
  co_await asio::async_read(socket, asio::dynamic_buffer(text, kMaxAnswer + 1),
                            asio::redirect_error(use_awaitable, end));
  if (end && end != asio::error::eof) throw boost::system::system_error(end);
  co_return text;
}

// An error is a value here: `||` below would wait for the timer if one were thrown.
asio::awaitable<Answer> ask(const FingerServer& server, std::string line) {
  try {
    std::string text = co_await talk(server, std::move(line));
    if (text.size() > kMaxAnswer) co_return Answer{502, "There is too much to tell.\n"};
    co_return Answer{200, std::move(text)};
  } catch (const boost::system::system_error& error) {
    co_return Answer{502, "Nobody knows: " + error.code().message() + ".\n"};
  }
}

asio::awaitable<Answer> ask_patiently(const FingerServer& server, std::string line) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(co_await asio::this_coro::executor, server.patience);
  // Whichever comes second is cancelled.
  auto first = co_await (ask(server, std::move(line)) || timer.async_wait(use_awaitable));
  if (Answer* const answer = std::get_if<Answer>(&first)) co_return std::move(*answer);
  co_return Answer{504, "Nobody answers.\n"};
}

}  // namespace

viaduct::Router people(FingerServer server) {
  viaduct::Router router;
  router.get("/{name}",
             [server = std::move(server)](Request& req, Response& res) -> asio::awaitable<void> {
               const std::string name = checked(req.arg<std::string>("name"));
               const Answer answer = co_await ask_patiently(server, name + "\r\n");
               res.status(answer.status).send(answer.text);
             });
  return router;
}

}  // namespace compose
