#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include <viaduct/permits.hpp>
#include <viaduct/wait.hpp>

namespace viaduct {
inline namespace v1 {

/// Up to `size` objects that handlers borrow, one handler at a time each: database handles,
/// connections. Made when first needed, then used again, the one returned last first. Waiting for
/// one suspends the fiber or the thread; who waited longest goes first.
///
/// Whoever needs several objects of one pool at once can wait for ever for the second, with all
/// others doing the same.
template <class T>
class Pool {
 public:
  /// `make` makes an object, or throws. `usable`, if given, is asked before an object is lent
  /// again; the answer false has it destroyed and another one made, which is how broken connections
  /// leave the pool. Both may block: they are called as if through blocking(), several at once.
  /// std::invalid_argument for a size of 0.
  Pool(std::size_t size, std::function<std::unique_ptr<T>()> make,
       std::function<bool(T&)> usable = {})
      : state_(std::make_shared<State>(size, std::move(make), std::move(usable))) {}

  /// Borrows an object; it returns to the pool with the last copy of the pointer, which may be
  /// after the pool has gone. Throws client_gone when stop() of the caller's request, or the token
  /// of the caller's background task, ends the wait, and what `make` and `usable` throw; the place
  /// is free again then. May be called by several threads at once.
  std::shared_ptr<T> acquire() {
    std::unique_ptr<T> object = state_->take();
    try {
      if (!object || state_->usable) {
        blocking([&] {
          if (object && !state_->usable(*object)) object.reset();
          if (!object) object = state_->make();
        });
      }
      if (!object) throw std::logic_error("the maker of a Pool made nothing");
    } catch (...) {
      state_->give_back(nullptr);
      throw;
    }
    // Should it have no memory for its own part, it calls the deleter.
    return std::shared_ptr<T>(object.release(), [state = state_](T* returned) {
      state->give_back(std::unique_ptr<T>(returned));
    });
  }

 private:
  struct State {
    State(std::size_t size, std::function<std::unique_ptr<T>()> maker,
          std::function<bool(T&)> is_usable)
        : make(std::move(maker)), usable(std::move(is_usable)), free(size) {
      if (size == 0) throw std::invalid_argument("a Pool's size is at least 1");
      idle.reserve(size);
    }

    std::unique_ptr<T> take() {
      std::unique_lock lock(mutex);
      free.take(lock, detail::Permits::Stop::heeded);
      if (idle.empty()) return nullptr;
      std::unique_ptr<T> object = std::move(idle.back());
      idle.pop_back();
      return object;
    }

    void give_back(std::unique_ptr<T> object) noexcept {
      const std::lock_guard lock(mutex);
      if (object) idle.push_back(std::move(object));
      free.give();
    }

    const std::function<std::unique_ptr<T>()> make;
    const std::function<bool(T&)> usable;
    std::mutex mutex;
    std::vector<std::unique_ptr<T>> idle;
    detail::Permits free;
  };

  std::shared_ptr<State> state_;
};

}  // namespace v1
}  // namespace viaduct
