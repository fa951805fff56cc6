#include "sdk/src/runtime/cgi_gateway.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <string_view>
#include <system_error>
#include <utility>

#include "protocol/text.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr protocol::RequestId kId = 1;
// Bytes that wait for one side beyond which the other is not read.
constexpr std::size_t kMaxWaiting = 64 * 1024;
constexpr std::size_t kPiece = 64 * 1024;

bool try_again(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

protocol::Pairs cgi_variables() {
  protocol::Pairs variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    variables.add(text.substr(0, equals), text.substr(equals + 1));
  }
  // Left out when empty; elsewhere that means that SCRIPT_NAME holds the whole path.
  if (!variables.get("PATH_INFO")) variables.add("PATH_INFO", "");
  return variables;
}

CgiGateway::CgiGateway(const protocol::Pairs& variables) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    throw std::system_error(errno, std::generic_category(), "socketpair");
  }
  socket_ = ends[0];
  engine_end_ = ends[1];
  codec_.begin(kId, protocol::Role::responder, false);
  codec_.params(kId, variables);
  codec_.output().settle();
  const auto length = variables.get("CONTENT_LENGTH");
  until_end_ = (!length || length->empty()) && variables.get("HTTP_TRANSFER_ENCODING").has_value();
  if (length) input_left_ = protocol::parse_decimal(*length).value_or(0);
  if (!until_end_ && input_left_ == 0) end_input();
}

CgiGateway::~CgiGateway() {
  ::close(socket_);
  if (engine_end_ >= 0) ::close(engine_end_);
}

int CgiGateway::take_engine_end() {
  return std::exchange(engine_end_, -1);
}

bool CgiGateway::run() {
  // Writing to a web server that has gone is an error, not the end of the process.
  sigset_t pipe;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  while (!broken_ && !(ended_ && output_.empty())) {
    const bool takes_input = input_open_ && codec_.output().size() < kMaxWaiting;
    const bool takes_output = !ended_ && output_.size() < kMaxWaiting;
    const int send_wanted = codec_.output().empty() || ended_ ? 0 : POLLOUT;
    std::array<pollfd, 3> waits{{
        {.fd = takes_input ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0},
        {.fd = STDOUT_FILENO,
         .events = static_cast<short>(output_.empty() ? 0 : POLLOUT),
         .revents = 0},
        {.fd = ended_ ? -1 : socket_,
         .events = static_cast<short>((takes_output ? POLLIN : 0) | send_wanted),
         .revents = 0},
    }};
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      if (errno == EINTR) continue;
      break;
    }
    if (waits[0].revents != 0) read_input();
    if ((waits[2].revents & POLLOUT) != 0) send();
    if ((waits[2].revents & ~POLLOUT) != 0) receive();
    if ((waits[1].revents & POLLOUT) != 0) {
      write_output();
    } else if (waits[1].revents != 0) {
      broken_ = true;
    }
  }
  // To the engine this is a client that has gone, if anything is left of the request.
  ::shutdown(socket_, SHUT_RDWR);
  return ended_ && !failed_ && output_.empty();
}

void CgiGateway::give_up() const {
  ::shutdown(socket_, SHUT_RDWR);
}

void CgiGateway::read_input() {
  std::array<std::byte, kPiece> piece;
  const std::size_t wanted =
      until_end_ ? piece.size()
                 : static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), input_left_));
  const ssize_t got = ::read(STDIN_FILENO, piece.data(), wanted);
  if (got < 0 && try_again(errno)) return;
  if (got <= 0) {
    // The client has left before it had sent what it promised.
    if (got < 0 || !until_end_) broken_ = true;
    return end_input();
  }
  codec_.input(kId, protocol::Bytes(piece).first(static_cast<std::size_t>(got)));
  codec_.output().settle();
  if (until_end_) return;
  input_left_ -= static_cast<std::uint64_t>(got);
  if (input_left_ == 0) end_input();
}

void CgiGateway::end_input() {
  input_open_ = false;
  codec_.input_end(kId);
}

void CgiGateway::send() {
  std::array<protocol::Bytes, 1> piece;
  if (codec_.output().gather(piece) == 0) return;
  const ssize_t sent = ::send(socket_, piece[0].data(), piece[0].size(), MSG_NOSIGNAL);
  if (sent > 0) codec_.output().consume(static_cast<std::size_t>(sent));
  // An engine that no longer reads may still have something to say.
  if (sent < 0 && !try_again(errno)) codec_.output().consume(codec_.output().size());
}

void CgiGateway::receive() {
  using Kind = protocol::fastcgi::ClientEvent::Kind;
  std::array<std::byte, kPiece> piece;
  const ssize_t got = ::recv(socket_, piece.data(), piece.size(), 0);
  if (got < 0 && try_again(errno)) return;
  if (got <= 0) {
    broken_ = true;
    return;
  }
  protocol::Bytes bytes = protocol::Bytes(piece).first(static_cast<std::size_t>(got));
  while (!bytes.empty() && codec_.error() == protocol::Errc::ok) {
    bytes = bytes.subspan(codec_.feed(bytes));
    for (auto event = codec_.next(); event.kind != Kind::none; event = codec_.next()) {
      if (event.kind == Kind::output) output_.append(protocol::as_text(event.bytes));
      if (event.kind == Kind::end) {
        ended_ = true;
        failed_ = event.app_status != 0;
      }
      if (event.kind == Kind::errors) {
        [[maybe_unused]] const auto ignored =
            ::write(STDERR_FILENO, event.bytes.data(), event.bytes.size());
      }
    }
  }
  // A response that could not be completed ends so, too. What has come of it is delivered.
  if (codec_.error() != protocol::Errc::ok) ended_ = failed_ = true;
}

// As much as a pipe that is writable takes without blocking.
void CgiGateway::write_output() {
  const ssize_t written =
      ::write(STDOUT_FILENO, output_.data(), std::min<std::size_t>(output_.size(), PIPE_BUF));
  if (written > 0) output_.erase(0, static_cast<std::size_t>(written));
  if (written < 0 && !try_again(errno)) broken_ = true;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
