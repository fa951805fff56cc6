#include "tests/sdk/support/peer.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace viaduct::test {
namespace {

using protocol::fastcgi::ClientEvent;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A condition may become true without a byte from the app.
constexpr milliseconds kLookAgain(5);

}  // namespace

std::string_view Peer::Reply::head() const {
  return std::string_view(output).substr(0, output.find("\r\n\r\n"));
}

std::string_view Peer::Reply::body() const {
  const std::size_t end = output.find("\r\n\r\n");
  return end == std::string::npos ? std::string_view() : std::string_view(output).substr(end + 4);
}

int Peer::Reply::status() const {
  const std::string text = "\r\n" + std::string(head());
  const std::string field = "\r\nStatus: ";
  const std::size_t at = text.find(field);
  return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + field.size());
}

Peer::Peer(const std::string& address) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string path = address.substr(std::strlen("unix:"));
  std::memcpy(name.sun_path, path.data(), path.size());
  if (path.starts_with('@')) name.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&name), size) != 0) {
    throw std::runtime_error("connect: " + std::string(std::strerror(errno)));
  }
}

Peer::~Peer() {
  close();
}

void Peer::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

protocol::fastcgi::Values Peer::agree(std::uint32_t window) {
  codec_.get_values(window);
  const std::uint32_t before = values_received_;
  if (!wait([&] { return values_received_ > before; })) throw std::runtime_error("no values");
  window_agreed_ = true;
  return values_;
}

void Peer::begin(RequestId id, std::string_view method, std::string_view path,
                 const Variables& more, bool keep_connection) {
  begin_as(protocol::Role::responder, id, method, path, more, keep_connection);
}

void Peer::begin_as(protocol::Role role, RequestId id, std::string_view method,
                    std::string_view path, const Variables& more, bool keep_connection) {
  replies_[id] = {};
  codec_.begin(id, role, keep_connection);
  protocol::Pairs params;
  params.add("REQUEST_METHOD", method);
  params.add("REQUEST_URI", path);
  params.add("SCRIPT_NAME", path.substr(0, path.find('?')));
  params.add("SERVER_PROTOCOL", "HTTP/1.1");
  for (const auto& [name, value] : more) params.add(name, value);
  codec_.params(id, params);
}

void Peer::input(RequestId id, std::string_view bytes) {
  codec_.input(id, protocol::as_bytes(bytes));
  codec_.output().settle();
}

void Peer::input_end(RequestId id) {
  codec_.input_end(id);
}

void Peer::data(RequestId id, std::string_view bytes) {
  codec_.data(id, protocol::as_bytes(bytes));
  codec_.output().settle();
}

void Peer::data_end(RequestId id) {
  codec_.data_end(id);
}

void Peer::abort(RequestId id) {
  codec_.abort(id);
}
void Peer::grant(RequestId id, std::uint32_t bytes) {
  codec_.credit(id, bytes);
}
void Peer::ask_trace(RequestId id) {
  codec_.trace(id);
}

void Peer::ask_values() {
  codec_.get_values({});
}
void Peer::announce_draining() {
  codec_.get_values(256 * 1024, true);
}
void Peer::send_raw(std::string_view bytes) {
  codec_.output().copy(bytes);
}

void Peer::flush() {
  protocol::Output& output = codec_.output();
  while (!output.empty() && !closed_) {
    std::array<protocol::Bytes, 16> pieces;
    const std::size_t count = output.gather(pieces);
    for (std::size_t i = 0; i < count; ++i) {
      const ssize_t sent = ::send(fd_, pieces[i].data(), pieces[i].size(), MSG_NOSIGNAL);
      if (sent < 0) {
        closed_ = true;
        break;
      }
      output.consume(static_cast<std::size_t>(sent));
      if (static_cast<std::size_t>(sent) < pieces[i].size()) break;
    }
  }
}

void Peer::handle(const ClientEvent& event) {
  Reply& reply = replies_[event.id];
  switch (event.kind) {
    case ClientEvent::Kind::values:
      ++values_received_;
      values_ = event.values;
      break;
    case ClientEvent::Kind::output:
      reply.output += protocol::as_text(event.bytes);
      if (auto_credit && window_agreed_) {
        codec_.credit(event.id, static_cast<std::uint32_t>(event.bytes.size()));
      }
      break;
    case ClientEvent::Kind::end:
      reply.ended = true;
      reply.app_status = event.app_status;
      reply.protocol_status = event.protocol_status;
      ended_.push_back(event.id);
      break;
    case ClientEvent::Kind::credit:
      reply.credit += event.count;
      break;
    case ClientEvent::Kind::trace:
      reply.traces.emplace_back(event.text);
      break;
    default:
      break;
  }
}

bool Peer::receive(milliseconds patience) {
  pollfd ready{fd_, POLLIN, 0};
  if (::poll(&ready, 1, static_cast<int>(patience.count())) <= 0) return false;
  std::array<std::byte, 64 * 1024> buffer;
  const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (got <= 0) {
    closed_ = true;
    return false;
  }
  protocol::Bytes bytes{buffer.data(), static_cast<std::size_t>(got)};
  while (!bytes.empty() && codec_.error() == protocol::Errc::ok) {
    bytes = bytes.subspan(codec_.feed(bytes));
    for (ClientEvent event = codec_.next(); event.kind != ClientEvent::Kind::none;
         event = codec_.next()) {
      handle(event);
    }
  }
  return true;
}

bool Peer::wait(const std::function<bool()>& done, milliseconds patience) {
  const auto until = steady_clock::now() + patience;
  while (true) {
    flush();
    if (done()) return true;
    const auto left = std::chrono::duration_cast<milliseconds>(until - steady_clock::now());
    if (closed_ || left.count() <= 0) return done();
    receive(std::min(left, kLookAgain));
  }
}

bool Peer::wait_end(RequestId id) {
  return wait([this, id] { return reply(id).ended; });
}

void Peer::drain(milliseconds calm) {
  flush();
  while (!closed_ && receive(calm)) flush();
}

Peer::Reply Peer::get(std::string_view path, const Variables& more) {
  constexpr RequestId kId = 900;
  begin(kId, "GET", path, more);
  input_end(kId);
  wait_end(kId);
  return reply(kId);
}

Peer::Reply Peer::request(std::string_view method, std::string_view path, std::string_view body) {
  constexpr RequestId kId = 901;
  const std::string length = std::to_string(body.size());
  begin(kId, method, path, {{"CONTENT_LENGTH", length}});
  if (!body.empty()) input(kId, body);
  input_end(kId);
  wait_end(kId);
  return reply(kId);
}

}  // namespace viaduct::test
