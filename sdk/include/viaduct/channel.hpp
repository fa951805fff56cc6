#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include <viaduct/permits.hpp>

namespace viaduct {
inline namespace v1 {

/// A queue of bounded length between handlers of either model, background tasks and any other
/// thread. Values come out in the order in which they went in, each once. Waiting suspends the
/// fiber or the thread; who waited longest goes first.
///
/// All members may be called by several threads at once. The channel must outlive its callers.
template <class T>
class Channel {
 public:
  /// Holds up to `capacity` values; std::invalid_argument for 0.
  explicit Channel(std::size_t capacity) : room_(checked(capacity)), filled_(0) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Puts `value` in, waiting while the channel is full; false once it is closed, also when that
  /// happens during the wait: then the value is dropped. Throws client_gone when stop() of the
  /// caller's request, or the token of the caller's background task, ends the wait.
  bool push(T value) {
    std::unique_lock lock(mutex_);
    if (closed_ || !room_.take(lock, detail::Permits::Stop::heeded)) return false;
    return put(std::move(value));
  }

  /// The same without waiting: false when the channel is full or closed.
  bool try_push(T value) {
    const std::lock_guard lock(mutex_);
    if (closed_ || !room_.try_take()) return false;
    return put(std::move(value));
  }

  /// Takes the first value, waiting while there is none. nullopt says that the channel is closed
  /// and empty, and nothing else: what was in it when it was closed still comes out. Throws
  /// client_gone when stop() of the caller's request, or the token of the caller's background task,
  /// ends the wait; values that are there come out even then.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    if (!filled_.take(lock, detail::Permits::Stop::heeded)) return std::nullopt;
    return get();
  }

  /// The same without waiting: nullopt when there is no value.
  std::optional<T> try_pop() {
    const std::lock_guard lock(mutex_);
    if (!filled_.try_take()) return std::nullopt;
    return get();
  }

  /// Lets nothing more in, and ends all waits. May be called again.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    room_.close();
    filled_.close();
  }

 private:
  static std::size_t checked(std::size_t capacity) {
    if (capacity == 0) throw std::invalid_argument("a Channel's capacity is at least 1");
    return capacity;
  }

  bool put(T&& value) {
    // Closed after the room was granted, before its taker ran.
    if (closed_) return false;
    try {
      values_.push_back(std::move(value));
    } catch (...) {
      room_.give();
      throw;
    }
    filled_.give();
    return true;
  }

  std::optional<T> get() {
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    room_.give();
    return value;
  }

  std::mutex mutex_;
  bool closed_ = false;
  std::deque<T> values_;
  detail::Permits room_;
  detail::Permits filled_;
};

}  // namespace v1
}  // namespace viaduct
