#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "daemon/bridge/dispatch/stack_query.hpp"
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
  /// Calls `done` with the requests of one app: within the call or, where the handlers of the
  /// oldest `stacks` of them are asked for what they do, within kStackPatience.
  void list(const Dispatcher& app, std::size_t stacks, StackQuery::Done done);
  /// Calls `look(Exchange&)` for each of them. It must not end any.
  template <class Look>
  void each(Look look) {
    for (const auto& exchange : exchanges_) look(*exchange);
  }
  /// Bodies that are gathered go to files, those of the fastest clients first: when limits.spool is
  /// reached, the requests of the slowest end.
  void relieve();
  /// Gives back the memory of objects that wait to be used again.
  void release_memory();

  static constexpr std::chrono::seconds kStackPatience{1};

 private:
  struct Query {
    std::shared_ptr<StackQuery> query;
    Clock::time_point until;
  };

  void expire_queries(Clock::time_point now);

  Reactor& reactor_;
  std::vector<Query> queries_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  std::vector<std::unique_ptr<Exchange>> removed_;  // in this event
  std::vector<std::unique_ptr<Exchange>> spare_;
};

}  // namespace viaduct::daemon::bridge
