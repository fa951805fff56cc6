#include "tests/daemon/bridge/names/fake_dns.hpp"

#include <array>
#include <cctype>
#include <optional>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace viaduct::daemon::bridge::testing {

namespace {

using boost::asio::ip::tcp;
using boost::asio::ip::udp;

constexpr std::size_t kHeader = 12;  // RFC 1035 section 4.1.1

std::string big_endian(std::uint32_t value, unsigned bytes) {
  std::string text;
  while (bytes-- > 0) text += static_cast<char>(value >> (8 * bytes));
  return text;
}

std::string encode_name(const std::string& name) {
  std::string encoded;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t dot = std::min(name.find('.', at), name.size());
    encoded += static_cast<char>(dot - at) + name.substr(at, dot - at);
    at = dot + 1;
  }
  return encoded + '\0';
}

struct Question {
  std::string name;
  std::uint16_t type;
  std::string bytes;
};

std::optional<Question> question_of(const std::string& message) {
  Question question;
  std::size_t at = kHeader;
  while (at < message.size() && message[at] != 0) {
    const auto length = static_cast<unsigned char>(message[at]);
    if (!question.name.empty()) question.name += '.';
    for (const char c : message.substr(at + 1, length)) {
      question.name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    at += 1 + length;
  }
  if (at + 5 > message.size()) return std::nullopt;
  question.type = static_cast<std::uint16_t>(static_cast<unsigned char>(message[at + 1]) << 8 |
                                             static_cast<unsigned char>(message[at + 2]));
  question.bytes = message.substr(kHeader, at + 5 - kHeader);
  return question;
}

std::string record(const std::string& owner, std::uint16_t type, std::uint32_t ttl,
                   const std::string& data) {
  return owner + big_endian(type, 2) + big_endian(1, 2) + big_endian(ttl, 4) +
         big_endian(static_cast<std::uint32_t>(data.size()), 2) + data;
}

std::string bytes_of(const std::string& text) {
  const auto address = boost::asio::ip::make_address(text);
  std::string bytes;
  if (address.is_v4()) {
    for (const auto byte : address.to_v4().to_bytes()) bytes += static_cast<char>(byte);
  } else {
    for (const auto byte : address.to_v6().to_bytes()) bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace

FakeDns::FakeDns(boost::asio::io_context& context) : tcp_(context), udp_(context) {
  // A port that is free for both.
  for (int i = 0; i < 100 && !udp_.is_open(); ++i) {
    const auto loopback = boost::asio::ip::address_v4::loopback();
    tcp_ = tcp::acceptor(context, tcp::endpoint(loopback, 0));
    udp_.open(udp::v4());
    boost::system::error_code error;
    udp_.bind(udp::endpoint(loopback, tcp_.local_endpoint().port()), error);
    if (error) udp_.close();
  }
  if (!udp_.is_open()) throw std::runtime_error("no port is free");
  co_spawn(context, serve_udp(), boost::asio::detached);
  co_spawn(context, serve_tcp(), boost::asio::detached);
}

std::string FakeDns::address() const {
  return "127.0.0.1:" + std::to_string(udp_.local_endpoint().port());
}

unsigned FakeDns::questions(const std::string& name, Type type) const {
  const auto found = questions_.find({name, type});
  return found == questions_.end() ? 0 : found->second;
}

boost::asio::awaitable<void> FakeDns::serve_udp() {
  std::array<char, 4096> buffer;
  for (;;) {
    udp::endpoint peer;
    const std::size_t size = co_await udp_.async_receive_from(boost::asio::buffer(buffer), peer,
                                                              boost::asio::use_awaitable);
    const std::string answer = reply({buffer.data(), size}, false);
    if (!answer.empty()) udp_.send_to(boost::asio::buffer(answer), peer);
  }
}

boost::asio::awaitable<void> FakeDns::serve_tcp() {
  for (;;) {
    auto socket = co_await tcp_.async_accept(boost::asio::use_awaitable);
    co_spawn(tcp_.get_executor(), serve(std::move(socket)), boost::asio::detached);
  }
}

boost::asio::awaitable<void> FakeDns::serve(tcp::socket socket) {
  for (;;) {
    std::array<unsigned char, 2> length;
    co_await async_read(socket, boost::asio::buffer(length), boost::asio::use_awaitable);
    std::string message(std::size_t{length[0]} << 8 | length[1], '\0');
    co_await async_read(socket, boost::asio::buffer(message), boost::asio::use_awaitable);
    ++by_tcp_;
    std::string answer = reply(message, true);
    answer.insert(0, big_endian(static_cast<std::uint32_t>(answer.size()), 2));
    co_await async_write(socket, boost::asio::buffer(answer), boost::asio::use_awaitable);
  }
}

std::string FakeDns::reply(const std::string& message, bool over_tcp) {
  const auto question = question_of(message);
  if (!question) return {};
  ++questions_[{question->name, question->type}];
  const auto found = answers_.find({question->name, question->type});
  const Answer answer = found == answers_.end() ? Answer{.status = nxdomain} : found->second;
  if (answer.silent) return {};
  const bool cut = answer.truncated && !over_tcp;
  std::string records;
  std::uint32_t count = 0;
  std::string owner = "\xC0\x0C";  // the name in the question
  if (!answer.alias.empty()) {
    records += record(owner, 5, answer.alias_ttl, encode_name(answer.alias));
    owner = encode_name(answer.alias);
    ++count;
  }
  for (const std::string& address : answer.addresses) {
    if (cut) break;
    records += record(owner, question->type, answer.ttl, bytes_of(address));
    ++count;
  }
  constexpr std::uint32_t kResponse = 0x8180;
  constexpr std::uint32_t kTruncated = 0x0200;
  return message.substr(0, 2) + big_endian(kResponse | (cut ? kTruncated : 0) | answer.status, 2) +
         big_endian(1, 2) + big_endian(count, 2) + big_endian(0, 4) + question->bytes + records;
}

}  // namespace viaduct::daemon::bridge::testing
