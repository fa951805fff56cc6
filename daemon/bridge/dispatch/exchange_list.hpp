#pragma once

#include <memory>
#include <vector>

#include "daemon/bridge/reactor.hpp"

namespace viaduct::daemon::bridge {

class Exchange;

/// Owns the requests of one thread from their head to their burial.
class ExchangeList {
 public:
  explicit ExchangeList(Reactor& reactor) : reactor_(reactor) {}
  ~ExchangeList();

  Exchange& add(std::unique_ptr<Exchange> exchange);
  /// Destroys it at the end of the reactor's event. Once only.
  void remove(Exchange& exchange);
  /// Lets every request look at its time-outs.
  void tick(Clock::time_point now);

  [[nodiscard]] bool empty() const { return exchanges_.empty(); }
  /// Bytes of bodies held in memory.
  [[nodiscard]] std::size_t buffered() const;

 private:
  Reactor& reactor_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
};

}  // namespace viaduct::daemon::bridge
