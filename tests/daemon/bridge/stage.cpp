#include "tests/daemon/bridge/stage.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace viaduct::daemon::bridge::testing {

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    errno = ENAMETOOLONG;
    fail(path);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return address;
}

}  // namespace

void Stage::remove(Peer& peer) {
  std::replace(peers_.begin(), peers_.end(), &peer, static_cast<Peer*>(nullptr));
}

bool Stage::run_until(const std::function<bool()>& done, std::chrono::milliseconds bound) {
  const auto limit = std::chrono::steady_clock::now() + bound;
  while (!done()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(limit - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    // What is awaited may also be the end of a process, which no descriptor tells.
    turn(std::min(left, std::chrono::milliseconds(50)));
  }
  return true;
}

void Stage::turn(std::chrono::milliseconds bound) {
  std::erase(peers_, nullptr);
  const std::vector<Peer*> peers = peers_;
  std::vector<pollfd> polled;
  for (const Peer* peer : peers) {
    const short wanted = peer->wanted();
    polled.push_back({wanted == 0 ? -1 : peer->descriptor(), wanted, 0});
  }
  if (::poll(polled.data(), polled.size(), static_cast<int>(bound.count())) < 0 && errno != EINTR)
    fail("poll");
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const bool present = std::find(peers_.begin(), peers_.end(), peers[i]) != peers_.end();
    // A hang-up is reported even to those who do not want to read.
    const auto events = static_cast<short>(polled[i].revents & (polled[i].events | POLLERR));
    if (present && events != 0 && peers[i]->descriptor() == polled[i].fd) peers[i]->ready(events);
  }
}

short Stream::wanted() const {
  short events = 0;
  if (reading) events |= POLLIN;
  if (unsent() > 0) events |= POLLOUT;
  return events;
}

void Stream::write(std::string_view bytes) {
  if (descriptor_ < 0) return;
  output_.append(bytes);
  flush();
}

bool Stream::flush() {
  while (descriptor_ >= 0 && unsent() > 0) {
    const ssize_t count =
        ::send(descriptor_, output_.data() + written_, unsent(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    if (count < 0) {
      failed = true;
      output_.clear();
      written_ = 0;
      return false;
    }
    written_ += static_cast<std::size_t>(count);
  }
  if (unsent() == 0) {
    output_.clear();
    written_ = 0;
  }
  return descriptor_ >= 0;
}

std::string Stream::read(std::size_t most) {
  std::string bytes(most, '\0');
  const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return {};
  if (count <= 0) {
    if (count < 0) failed = true;
    ended = true;
    close();
    return {};
  }
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

void Stream::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  output_.clear();
  written_ = 0;
}

int connect_to(const std::string& path) {
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) fail("socket");
  const sockaddr_un address = address_of(path);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(descriptor);
    fail("connect " + path);
  }
  return descriptor;
}

int listen_at(const std::string& path) {
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) fail("socket");
  const sockaddr_un address = address_of(path);
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(descriptor, 128) != 0) {
    ::close(descriptor);
    fail("listen " + path);
  }
  return descriptor;
}

int listen_on_loopback(std::uint16_t& port, int backlog) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(descriptor, generic, size) != 0 || ::getsockname(descriptor, generic, &size) != 0 ||
      (backlog >= 0 && ::listen(descriptor, backlog) != 0)) {
    ::close(descriptor);
    fail("listen on 127.0.0.1");
  }
  port = ntohs(address.sin_port);
  return descriptor;
}

TempDir::TempDir() : path_("/tmp/viaduct-bridge-XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) fail("mkdtemp");
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::file(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

}  // namespace viaduct::daemon::bridge::testing
