#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "daemon/config/memory_policy.hpp"

namespace viaduct::daemon::bridge {

/// What all threads of the process hold together, as they last told.
struct ProcessMemory {
  config::MemoryPolicy policy;
  /// Makes the heap return free memory to the kernel.
  std::function<void()> give_back;

  std::atomic<std::uint64_t> held = 0;
  /// What the process has from the kernel for it at most: memory that one thread frees is of no use
  /// to another, whose part of the heap is another one.
  std::atomic<std::uint64_t> taken = 0;
  std::atomic<std::uint32_t> rounds = 0;  ///< how often memory was given back
  std::atomic<bool> giving_back = false;

  [[nodiscard]] bool refusing() const {
    return policy.refuses(held.load(std::memory_order_relaxed));
  }
};

/// What everything on one thread holds. The others hear of a change once it is a step
/// (MemoryPolicy), so that counting costs an addition. Not thread-safe.
class ThreadMemory {
 public:
  /// From now on it is a part of the process's. `on_pressure` is called within change() and tell()
  /// while new requests are to be refused. Until then nobody hears of it.
  void join(ProcessMemory& process, std::function<void()> on_pressure);
  /// Nobody hears of it any more.
  void leave();

  /// `bytes` more, or with a negative number less, are held.
  void change(std::int64_t bytes) {
    held_ += bytes;
    const std::int64_t untold = held_ - told_;
    if (untold >= step_ || untold <= -step_) tell();
  }
  /// Tells the others now.
  void tell();
  /// The same without looking at pressure.
  void publish();

  [[nodiscard]] std::uint64_t held() const { return static_cast<std::uint64_t>(held_); }

 private:
  void give_back();

  ProcessMemory* process_ = nullptr;
  std::function<void()> on_pressure_;
  std::int64_t step_ = INT64_MAX;
  std::int64_t held_ = 0;
  std::int64_t told_ = 0;
  std::int64_t peak_ = 0;  // since memory was given back
  std::uint32_t round_ = 0;
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
