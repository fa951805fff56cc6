#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "daemon/config/memory_policy.hpp"

namespace viaduct::daemon::bridge {

/// The memory of all threads of the process, as they last told.
struct ProcessMemory {
  config::MemoryPolicy policy;
  /// Makes the heap return free memory to the kernel.
  std::function<void()> give_back;
  /// Bytes that the process has from the kernel, beyond those it started with; nothing when that
  /// cannot be known. May be empty.
  std::function<std::optional<std::uint64_t>()> footprint{};

  std::atomic<std::uint64_t> held = 0;
  /// At least the footprint, but for what each thread has not told yet: the footprint when it was
  /// last measured, and all bytes added since, freed ones not deducted.
  std::atomic<std::uint64_t> taken = 0;
  /// Bytes to be given up, because returning free memory was not enough.
  std::atomic<std::uint64_t> excess = 0;
  std::mutex making_room{};

  [[nodiscard]] bool refusing() const {
    return policy.refuses(held.load(std::memory_order_relaxed)) ||
           excess.load(std::memory_order_relaxed) > 0;
  }
  /// Keeps the footprint below its limit: measures it when `taken` exceeds that, and returns
  /// memory. Waits while another thread does so.
  void make_room();

 private:
  [[nodiscard]] bool room_is_due() const;
};

/// What everything on one thread holds. The others hear of a change once it is a step
/// (MemoryPolicy), so that counting costs two additions. Not thread-safe.
class ThreadMemory {
 public:
  /// From now on it is a part of the process's. `on_pressure` is called within change(), tell() and
  /// look_again() while new requests are to be refused. Until then nobody hears of it.
  void join(ProcessMemory& process, std::function<void()> on_pressure);
  /// Nobody hears of it any more.
  void leave();

  /// `bytes` more, or with a negative number less, are held.
  void change(std::int64_t bytes) {
    held_ += bytes;
    if (bytes > 0) added_ += bytes;
    if (added_ >= step_ || told_ - held_ >= step_) tell();
  }
  /// Tells the others now.
  void tell();
  /// The same without looking at pressure.
  void publish();
  /// Something was given up: look_again() is to see whether that was enough.
  void gave_up() { gave_up_ = true; }
  /// To be called when what was given up is destroyed. Whether more has to be.
  bool look_again();

  [[nodiscard]] std::uint64_t held() const { return static_cast<std::uint64_t>(held_); }

 private:
  ProcessMemory* process_ = nullptr;
  std::function<void()> on_pressure_;
  std::int64_t step_ = INT64_MAX;
  std::int64_t held_ = 0;
  std::int64_t told_ = 0;
  std::int64_t added_ = 0;  // since the others were told
  bool gave_up_ = false;
};

/// The memory of one object, as last counted: a part of its thread's until it is destroyed.
class MemoryShare {
 public:
  explicit MemoryShare(ThreadMemory& thread) : thread_(thread) {}
  ~MemoryShare() { set(0); }
  MemoryShare(const MemoryShare&) = delete;
  MemoryShare& operator=(const MemoryShare&) = delete;

  void set(std::size_t bytes) {
    const auto change = static_cast<std::int64_t>(bytes) - static_cast<std::int64_t>(bytes_);
    bytes_ = bytes;
    if (change != 0) thread_.change(change);
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  ThreadMemory& thread_;
  std::size_t bytes_ = 0;
};

}  // namespace viaduct::daemon::bridge
