#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

namespace viaduct::daemon::bridge::testing {

/// A name server on a port of 127.0.0.1, by UDP and TCP, that says what the test wants. It runs on
/// the test's event loop, and is to be destroyed behind its last turn.
class FakeDns {
 public:
  enum Type : std::uint16_t { a = 1, aaaa = 28 };
  enum Status : std::uint8_t { ok = 0, servfail = 2, nxdomain = 3 };

  /// What is answered to one question.
  struct Answer {
    std::vector<std::string> addresses{};
    std::uint32_t ttl = 60;
    Status status = ok;
    bool silent = false;     ///< not answered at all
    bool truncated = false;  ///< by UDP only the beginning
    std::string alias{};     ///< a CNAME that the addresses are of; "": none
    std::uint32_t alias_ttl = 60;
  };

  explicit FakeDns(boost::asio::io_context& context);

  [[nodiscard]] std::string address() const;
  /// What the test has not set does not exist (NXDOMAIN).
  Answer& answer(const std::string& name, Type type) { return answers_[{name, type}]; }
  [[nodiscard]] unsigned questions(const std::string& name, Type type) const;
  /// That came by TCP.
  [[nodiscard]] unsigned by_tcp() const { return by_tcp_; }

 private:
  boost::asio::awaitable<void> serve_udp();
  boost::asio::awaitable<void> serve_tcp();
  boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);
  /// The answer to a message, or nothing.
  std::string reply(const std::string& message, bool tcp);

  boost::asio::ip::tcp::acceptor tcp_;
  boost::asio::ip::udp::socket udp_;
  std::map<std::pair<std::string, std::uint16_t>, Answer> answers_;
  std::map<std::pair<std::string, std::uint16_t>, unsigned> questions_;
  unsigned by_tcp_ = 0;
};

}  // namespace viaduct::daemon::bridge::testing
