#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/bench/answer_reader.hpp"

namespace viaduct::bench {

/// A descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();

  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

/// Connects to a Unix socket ('@' first: an abstract one), waiting at most `timeout` for room in
/// its backlog. Throws std::system_error.
Descriptor connect_unix(std::string_view path, std::chrono::nanoseconds timeout);

/// One connection to the server: requests encoded beforehand are sent, answers are read. Never
/// blocks.
class Connection {
 public:
  enum class Io { ok, closed, broken };

  /// `requests[i]` are the bytes of the request with id i + 1; borrowed, as is `check`.
  Connection(std::span<const std::string> requests, AnswerCheck& check);

  /// Starts on a new socket with nothing in flight.
  void open(Descriptor socket);
  [[nodiscard]] int fd() const { return socket_.get(); }

  /// Puts the request with this id, which is not in flight, into the next write.
  void queue(std::uint16_t id);
  /// Writes what is queued, as much as the socket takes. Requests count as sent at `now`.
  Io write(std::int64_t now);
  [[nodiscard]] bool wants_to_write() const { return written_ < output_.size(); }

  /// Receives once and appends the requests in flight that it finished, also when it then fails.
  /// `broken`: not what a FastCGI server sends, or an answer to a request that is not in flight.
  Io read(std::span<char> buffer, std::vector<AnswerReader::Finished>& finished);

  [[nodiscard]] unsigned in_flight() const { return in_flight_; }
  /// When the request that was last in flight under this id was sent.
  [[nodiscard]] std::int64_t sent_at(std::uint16_t id) const { return slots_[id - 1U].sent_at; }

 private:
  struct Slot {
    bool in_flight = false;
    std::int64_t sent_at = 0;
  };

  std::span<const std::string> requests_;
  AnswerReader reader_;
  Descriptor socket_;
  std::vector<Slot> slots_;  // by id - 1
  std::vector<std::uint16_t> unstamped_;
  unsigned in_flight_ = 0;
  std::string output_;
  std::size_t written_ = 0;
};

}  // namespace viaduct::bench
