#include "daemon/master/output_reader.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace viaduct::daemon::master {

OutputPipe make_output_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe2");
  }
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

OutputReader::OutputReader(boost::asio::io_context& io, UniqueFd pipe, Sink sink)
    : pipe_(io, pipe.release()), pause_(io), sink_(std::move(sink)) {}

void OutputReader::start() {
  wait_readable();
}

void OutputReader::wait_readable() {
  pipe_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                   [weak = weak_from_this()](const boost::system::error_code& error) {
                     const auto self = weak.lock();
                     if (self && !error) self->read_turn();
                   });
}

void OutputReader::read_turn() {
  // A pipe that is found empty begins no new turn: a writer may be just slower than its reader.
  const auto now = std::chrono::steady_clock::now();
  if (now - turn_began_ >= kTurn) {
    turn_began_ = now;
    worth_ = 0;
  }
  while (worth_ < kBytesPerTurn && read_some(worth_)) {
  }
  if (!pipe_.is_open()) return;
  if (worth_ < kBytesPerTurn) return wait_readable();
  pause_.expires_at(turn_began_ + kTurn * (worth_ / kBytesPerTurn));
  pause_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (self && !error && self->pipe_.is_open()) self->wait_readable();
  });
}

// Whether more may be there; closes the pipe at its end.
bool OutputReader::read_some(std::size_t& worth) {
  // Every one of them may be a line.
  std::array<char, 4096> buffer;
  const ssize_t size = ::read(pipe_.native_handle(), buffer.data(), buffer.size());
  if (size > 0) {
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
    const auto lines = static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    worth += std::max(bytes.size(), lines * kLeastPerLine);
    take(bytes);
    return true;
  }
  if (size < 0 && errno == EINTR) return true;
  if (size == 0 || errno != EAGAIN) pipe_.close();
  return false;
}

void OutputReader::finish() {
  std::size_t worth = 0;
  while (pipe_.is_open() && worth < kBytesPerTurn && read_some(worth)) {
  }
  if (pipe_.is_open()) pipe_.close();
  pause_.cancel();
  splitter_.finish([this](std::string_view text) { line(text); });
}

void OutputReader::take(std::string_view bytes) {
  splitter_.feed(bytes, [this](std::string_view text) { line(text); });
}

void OutputReader::line(std::string_view text) {
  constexpr std::size_t kRememberedBytes = 256;
  if (notes_.take(text)) return;
  last_.emplace_back(text.substr(0, kRememberedBytes));
  if (last_.size() > kRemembered) last_.pop_front();
  sink_(text);
}

}  // namespace viaduct::daemon::master
