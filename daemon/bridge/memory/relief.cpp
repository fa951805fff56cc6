#include "daemon/bridge/memory/relief.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <unordered_set>
#include <utility>

#include "daemon/bridge/dispatch/exchange.hpp"
#include "daemon/bridge/dispatch/exchange_list.hpp"
#include "daemon/bridge/front/connection_list.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::bridge {

namespace {

/// What holds no more than this is not worth a connection, nor is its client slow: it has just
/// begun.
constexpr std::size_t kWorthIt = 8 * 1024;

// New, or of no use to anybody.
bool expendable(const Connection& connection, Clock::duration unread) {
  return connection.held() > kWorthIt && (connection.only_head() || connection.unread_for(unread));
}

}  // namespace

Relief::Relief(Services& services, ConnectionList& connections)
    : services_(services), connections_(connections), reports_(1, std::chrono::seconds(1), 1) {
  services_.reactor.memory().join(services_.use.memory,
                                  [this] { services_.reactor.flush_soon(*this); });
}

Relief::~Relief() {
  services_.reactor.memory().leave();
  services_.reactor.forget(*this);
}

void Relief::flush() {
  ThreadMemory& memory = services_.reactor.memory();
  connections_.release_memory();
  services_.exchanges.release_memory();
  services_.exchanges.relieve();
  memory.publish();
  give_up();
}

// What this thread does not hold is for others to give up.
void Relief::give_up() {
  const ProcessMemory& process = services_.use.memory;
  const std::uint64_t held = process.held.load(std::memory_order_relaxed);
  const std::uint64_t of_footprint = process.excess.load(std::memory_order_relaxed);
  const bool only_expendable = process.policy.excess(held) == 0 && of_footprint == 0;
  const std::uint64_t excess = std::max(process.policy.excess_of_expendable(held), of_footprint);
  const std::vector<Holder> holders = find_holders(only_expendable);
  std::vector<GivingUp::Holding> holdings;
  holdings.reserve(holders.size());
  for (const Holder& holder : holders) holdings.push_back(holder.holding);
  GivingUp giving_up(std::move(holdings));
  std::uint64_t freed = 0;
  std::size_t requests = 0;
  std::size_t connections = 0;
  std::unordered_set<const Client*> answered;
  while (freed < excess) {
    const auto next = giving_up.next();
    if (!next) break;
    const Holder& holder = holders[*next];
    // A request that has just been given up is still to be answered there.
    if (holder.connection != nullptr && answered.contains(holder.connection)) continue;
    freed += holder.holding.bytes;
    if (holder.connection != nullptr) {
      ++connections;
      holder.connection->close();
    } else if (holder.request->has_client()) {
      ++requests;
      answered.insert(holder.request->client());
      holder.request->give_up();
    }
  }
  if (requests + connections == 0) return;
  services_.reactor.memory().gave_up();
  report(held, requests, connections);
}

std::vector<Relief::Holder> Relief::find_holders(bool only_expendable) {
  const Clock::duration unread = services_.use.memory.policy.unread;
  std::vector<Holder> holders;
  connections_.each([&](Connection& connection) {
    if (connection.held() == 0 || (only_expendable && !expendable(connection, unread))) return;
    holders.push_back({{connection.held(), std::nullopt}, nullptr, &connection});
  });
  if (only_expendable) return holders;
  services_.exchanges.each([&](Exchange& exchange) {
    if (!exchange.has_client()) return;
    const std::size_t held = exchange.held();
    const auto rate = held > kWorthIt ? exchange.gathering_rate() : std::nullopt;
    holders.push_back({{held, rate}, &exchange, nullptr});
  });
  return holders;
}

void Relief::report(std::uint64_t held, std::size_t requests, std::size_t connections) {
  const auto decision = reports_.admit("", services_.reactor.now());
  if (!decision.write) return;
  services_.log.warning("memory is short: those that hold most of it are given up",
                        {{"held", held},
                         {"limit", services_.use.memory.policy.limit},
                         {"requests", requests},
                         {"connections", connections},
                         {"suppressed", decision.suppressed}});
}

}  // namespace viaduct::daemon::bridge
