#include "daemon/channel/message_pipe.hpp"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace viaduct::daemon::channel {

namespace {

static_assert(sizeof(Message) <= PIPE_BUF, "longer packets are split");

// Every packet takes a page of the pipe: room for 256 instead of 16.
constexpr int kPipeBytes = 1024 * 1024;

std::error_code last_error() {
  return {errno, std::generic_category()};
}

}  // namespace

MessagePipe make_message_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_DIRECT | O_CLOEXEC | O_NONBLOCK) != 0) {
    throw std::system_error(last_error(), "pipe2");
  }
  MessagePipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  // Beyond the user's share of pipes the kernel refuses; the pipe is shorter then.
  (void)::fcntl(pipe.writer.get(), F_SETPIPE_SZ, kPipeBytes);
  return pipe;
}

std::error_code write_message(int pipe, const Message& message) {
  ssize_t written = 0;
  do {
    written = ::write(pipe, &message, sizeof(message));
  } while (written < 0 && errno == EINTR);
  return written < 0 ? last_error() : std::error_code();
}

std::optional<Message> read_message(int pipe, std::error_code& error) {
  error.clear();
  // One byte more than a message has, so that a longer packet shows.
  std::array<std::byte, sizeof(Message) + 1> bytes;
  ssize_t size = 0;
  do {
    size = ::read(pipe, bytes.data(), bytes.size());
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    if (errno != EAGAIN) error = last_error();
    return std::nullopt;
  }
  if (size == 0) {
    error = std::make_error_code(std::errc::not_connected);
    return std::nullopt;
  }
  if (static_cast<std::size_t>(size) != sizeof(Message)) {
    error = std::make_error_code(std::errc::bad_message);
    return std::nullopt;
  }
  Message message;
  std::memcpy(&message, bytes.data(), sizeof(message));
  return message;
}

}  // namespace viaduct::daemon::channel
