#pragma once

#include <memory>
#include <vector>

#include "daemon/bridge/reactor.hpp"
#include "daemon/bridge/request_listing.hpp"
#include "daemon/bridge/services.hpp"

namespace viaduct::daemon::bridge {

class Dispatcher;

/// Owns the requests of one thread from their head to their burial, and uses their objects again.
class ExchangeList final : public Flushable {
 public:
  explicit ExchangeList(Reactor& reactor) : reactor_(reactor) {}
  ~ExchangeList();

  /// An exchange to begin() with.
  Exchange& add(Services& services);
  /// Takes it out; it is used again after the end of the reactor's event, when nobody up the stack
  /// refers to it any more.
  void remove(Exchange& exchange);
  void flush() override;
  /// Lets every request look at its time-outs.
  void tick(Clock::time_point now);

  [[nodiscard]] bool empty() const { return exchanges_.empty(); }
  /// The requests of one app.
  [[nodiscard]] RequestListing list(const Dispatcher& app) const;
  /// Bytes of bodies held in memory.
  [[nodiscard]] std::size_t buffered() const;

 private:
  Reactor& reactor_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  std::vector<std::unique_ptr<Exchange>> removed_;  // in this event
  std::vector<std::unique_ptr<Exchange>> spare_;
};

}  // namespace viaduct::daemon::bridge
