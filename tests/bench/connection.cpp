#include "tests/bench/connection.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>

namespace viaduct::bench {

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor connect_unix(std::string_view path, std::chrono::nanoseconds timeout) {
  const auto fail = [&](int error) {
    throw std::system_error(error, std::system_category(), "connect to unix:" + std::string(path));
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) fail(ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  std::size_t length = offsetof(sockaddr_un, sun_path) + path.size() + 1;
  if (path.front() == '@') {
    address.sun_path[0] = '\0';
    --length;
  }

  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) fail(errno);
  // The send timeout is also that of connect() while the backlog is full.
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const auto rest = std::chrono::duration_cast<std::chrono::microseconds>(timeout - seconds);
  const timeval limit{.tv_sec = seconds.count(), .tv_usec = rest.count()};
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0) fail(errno);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address),
                static_cast<socklen_t>(length)) != 0) {
    fail(errno);
  }
  return socket;
}

Connection::Connection(std::span<const std::string> requests, AnswerCheck& check)
    : requests_(requests),
      reader_(check, static_cast<std::uint16_t>(requests.size())),
      slots_(requests.size()) {}

void Connection::open(Descriptor socket) {
  socket_ = std::move(socket);
  reader_.reset();
  slots_.assign(requests_.size(), {});
  unstamped_.clear();
  in_flight_ = 0;
  output_.clear();
  written_ = 0;
}

void Connection::queue(std::uint16_t id) {
  slots_[id - 1U].in_flight = true;
  ++in_flight_;
  unstamped_.push_back(id);
  output_.append(requests_[id - 1U]);
}

Connection::Io Connection::write(std::int64_t now) {
  for (const std::uint16_t id : unstamped_) slots_[id - 1U].sent_at = now;
  unstamped_.clear();
  while (wants_to_write()) {
    const ssize_t sent = ::send(fd(), output_.data() + written_, output_.size() - written_,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN) return Io::ok;
      if (errno == EINTR) continue;
      return Io::closed;
    }
    written_ += static_cast<std::size_t>(sent);
  }
  output_.clear();
  written_ = 0;
  return Io::ok;
}

Connection::Io Connection::read(std::span<char> buffer,
                                std::vector<AnswerReader::Finished>& finished) {
  const ssize_t got = ::recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? Io::ok : Io::closed;
  if (got == 0) return Io::closed;
  const std::size_t before = finished.size();
  const bool whole = reader_.feed({buffer.data(), static_cast<std::size_t>(got)}, finished);
  for (std::size_t i = before; i < finished.size(); ++i) {
    Slot& slot = slots_[finished[i].id - 1U];
    if (!slot.in_flight) {
      finished.resize(i);
      return Io::broken;
    }
    slot.in_flight = false;
    --in_flight_;
  }
  return whole ? Io::ok : Io::broken;
}

}  // namespace viaduct::bench
