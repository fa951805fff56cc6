#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include <viaduct/export.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Permits that callers wait for, first come, first served; a wait suspends the fiber or the
/// thread. What Mutex, Channel and Pool are made of. All members but the constructor and the
/// destructor are called with one mutex of the owner's held.
class VIADUCT_API Permits {
 public:
  /// Whether a wait ends when stop() of the caller's request fires, or the token of the caller's
  /// background task.
  enum class Stop : std::uint8_t { ignored, heeded };

  explicit Permits(std::size_t count);
  Permits(const Permits&) = delete;
  Permits& operator=(const Permits&) = delete;
  /// Nobody may wait.
  ~Permits();

  /// Takes a permit, waiting for one if need be, for which `lock` is given up. False once closed
  /// with no permit left. Throws client_gone when a wait was ended by stop().
  bool take(std::unique_lock<std::mutex>& lock, Stop stop);
  /// Takes a permit if there is one that nobody waits for.
  bool try_take();
  /// Hands a permit to who has waited longest, or keeps it.
  void give();
  /// Ends all waits, those to come included.
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
