#pragma once

#include <cstddef>
#include <cstdint>
#include <system_error>

#include "daemon/bridge/dispatch/spool_file.hpp"
#include "daemon/config/request_settings.hpp"
#include "protocol/buffer.hpp"
#include "protocol/output.hpp"

namespace viaduct::daemon::bridge {

/// Where further bytes of a response go, in this order; they add up to the bytes asked about.
struct Placing {
  std::size_t memory = 0;
  std::size_t file = 0;
  std::size_t over = 0;  ///< beyond the limits: kept all the same, but the worker is paused

  bool operator==(const Placing&) const = default;
};

/// Contents of a store. All sizes are bytes.
struct Stored {
  std::uint64_t in_memory = 0;  ///< in front of the file
  std::uint64_t in_file = 0;    ///< written to it since it was made, what was read included
  bool file_waits = false;      ///< the file has unread bytes, which come first
  bool over_waits = false;      ///< bytes beyond the limits wait, which come first
};

/// Pure: memory first, then the file; the order of bytes is kept.
[[nodiscard]] Placing place(std::size_t bytes, const config::ResponseBuffers& limits,
                            const Stored& stored);

/// The bytes of one response that its client has not taken: in memory, beyond that in an unlinked
/// file of the spool, and beyond both limits in memory again, for which the worker has to be
/// paused (full()). The space of the file is used again once all of it was read. Not thread-safe.
class ResponseStore {
 public:
  ResponseStore() = default;
  ResponseStore(const ResponseStore&) = delete;
  ResponseStore& operator=(const ResponseStore&) = delete;

  /// Empty, without memory or file.
  void reset(const config::ResponseBuffers& limits = {.memory = 0, .file = 0});
  /// The response gets no file.
  void memory_only() { limits_.file = 0; }
  /// Whether anything can be stored within the limits.
  [[nodiscard]] bool usable() const { return limits_.memory > 0 || limits_.file > 0; }

  /// Keeps all of the bytes. On an error of the file, or when the spool is at its limit
  /// (SpoolFile::kFull), they are kept as bytes beyond the limits.
  std::error_code append(Spool& spool, protocol::Bytes bytes);
  /// Whether bytes beyond the limits came since the store was empty: no more should be added.
  [[nodiscard]] bool full() const { return full_; }
  [[nodiscard]] bool empty() const;

  /// The next bytes, at most `max` and not necessarily all; empty when there are none, or when the
  /// file could not be read (`error`). Valid until the next call.
  protocol::Bytes peek(std::size_t max, std::error_code& error);
  /// At most what the last peek() gave.
  void consume(std::size_t bytes);

  /// Moves what is in memory to the file.
  void spill(Spool& spool);
  /// Whether spill() does anything: there is something, the response may have a file, and it has
  /// none yet.
  [[nodiscard]] bool spillable() const {
    return !file_.is_open() && in_memory() > 0 && in_memory() <= limits_.file;
  }
  /// Bytes of memory that it holds.
  [[nodiscard]] std::size_t memory() const {
    return memory_.capacity() + over_.capacity() + file_.memory();
  }

 private:
  std::error_code write(Spool& spool, protocol::Bytes bytes);
  [[nodiscard]] std::size_t in_memory() const { return memory_.size() - read_; }
  void drop_memory(std::size_t bytes);

  config::ResponseBuffers limits_{.memory = 0, .file = 0};
  protocol::Buffer memory_;
  std::size_t read_ = 0;  // position in memory_
  SpoolFile file_{Spool::Use::response};
  protocol::Buffer over_;  // behind the file
  bool full_ = false;
};

}  // namespace viaduct::daemon::bridge
