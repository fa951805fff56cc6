#include "sdk/src/runtime/early_signals.hpp"

#include <csignal>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

volatile std::sig_atomic_t remembered = 0;

void remember(int number) {
  remembered = number;
}

}  // namespace

EarlySignals::EarlySignals() {
  remembered = 0;
  struct sigaction once {};
  once.sa_handler = remember;
  once.sa_flags = SA_RESETHAND | SA_RESTART;
  ::sigaction(SIGTERM, &once, &before_term_);
  ::sigaction(SIGINT, &once, &before_int_);
}

EarlySignals::~EarlySignals() {
  if (handed_over_) return;
  ::sigaction(SIGTERM, &before_term_, nullptr);
  ::sigaction(SIGINT, &before_int_, nullptr);
}

void EarlySignals::hand_over() {
  handed_over_ = true;
  if (remembered != 0) std::raise(remembered);
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
