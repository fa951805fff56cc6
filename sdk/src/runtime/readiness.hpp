#pragma once

#include <functional>
#include <thread>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Asks an app on a thread of its own whether it is ready, until it says so: after 10 ms, then
/// after pauses twice as long each time, up to a second. An answer that is an exception means no;
/// its text is logged, once while it stays the same. The destructor waits for the question under
/// way, whose waits it ends.
class Readiness {
 public:
  /// `on_ready` is called by that thread, once. Both functions must outlive the object.
  Readiness(const std::function<bool()>& ready, std::function<void()> on_ready);

 private:
  std::jthread thread_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
