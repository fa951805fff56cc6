#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "daemon/bridge/memory/giving_up.hpp"
#include "daemon/bridge/reactor.hpp"
#include "daemon/bridge/services.hpp"
#include "daemon/log/rate_limit.hpp"

namespace viaduct::daemon::bridge {

class Connection;
class ConnectionList;

/// What a thread does while the bridge holds nearly as much as limits.memory allows, or more: it
/// gives back memory that is only kept for later, and gives up what MemoryPolicy says, those of its
/// requests and connections as GivingUp orders them. At the end of the event in which that was
/// noticed.
class Relief final : public Flushable {
 public:
  /// From now on, and as long as it lives, the thread's memory is a part of the process's.
  Relief(Services& services, ConnectionList& connections);
  ~Relief() override;

  void flush() override;

 private:
  // A request, or a connection with what belongs to none of its requests.
  struct Holder {
    GivingUp::Holding holding;
    Exchange* request;
    Connection* connection;
  };

  void give_up();
  std::vector<Holder> find_holders(bool only_expendable);
  void report(std::uint64_t held, std::size_t requests, std::size_t connections);

  Services& services_;
  ConnectionList& connections_;
  log::RateLimit reports_;
};

}  // namespace viaduct::daemon::bridge
