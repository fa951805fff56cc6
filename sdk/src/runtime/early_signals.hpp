#pragma once

#include <signal.h>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Remembers SIGTERM and SIGINT of the time between listening and serving, in which they would end
/// the process, leave its socket file, and turn away who has connected already. A second one of the
/// same number still does. One at a time.
class EarlySignals {
 public:
  EarlySignals();
  EarlySignals(const EarlySignals&) = delete;
  EarlySignals& operator=(const EarlySignals&) = delete;
  ~EarlySignals();

  /// Others handle these signals by now: they get what was remembered.
  void hand_over();

 private:
  struct sigaction before_term_ {};
  struct sigaction before_int_ {};
  bool handed_over_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
