#include "daemon/bridge/front/connection_list.hpp"

#include <unistd.h>

#include <utility>

#include "daemon/bridge/front/peer.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::bridge {

namespace {

constexpr std::size_t kRemoved = SIZE_MAX;
constexpr auto kIdleGrace = std::chrono::milliseconds(250);

}  // namespace

ConnectionList::ConnectionList(Services& services)
    : services_(services), reports_(1, std::chrono::seconds(1), 64) {}

ConnectionList::~ConnectionList() = default;

void ConnectionList::add(std::shared_ptr<Connection> connection) {
  services_.use.connections.fetch_add(1, std::memory_order_relaxed);
  services_.scores.connections.fetch_add(1, std::memory_order_relaxed);
  connection->list_index_ = connections_.size();
  connections_.push_back(std::move(connection));
}

void ConnectionList::remove(Connection& connection) {
  const std::size_t index = std::exchange(connection.list_index_, kRemoved);
  if (index == kRemoved) return;
  services_.use.connections.fetch_sub(1, std::memory_order_relaxed);
  services_.scores.connections.fetch_sub(1, std::memory_order_relaxed);
  std::swap(connections_[index], connections_.back());
  connections_[index]->list_index_ = index;
  connections_.back()->list_index_ = kRemoved;
  services_.reactor.bury(std::move(connections_.back()));
  connections_.pop_back();
}

void ConnectionList::drain(HandOver hand_over) {
  hand_over_ = std::move(hand_over);
  idle_until_ = services_.reactor.now() + kIdleGrace;
  for (std::size_t i = connections_.size(); i-- > 0;) {
    if (i < connections_.size()) connections_[i]->drain();
  }
}

void ConnectionList::retire(Connection& connection) {
  // tick() closes it, or tries again: the successor's queue is finite.
  if (!hand_over_ || !connection.movable() ||
      !hand_over_(connection.front().socket, connection.descriptor()))
    return;
  ::close(connection.surrender());
}

void ConnectionList::close_all() {
  while (!connections_.empty()) {
    const auto connection = connections_.back();
    connection->close();
  }
}

std::vector<Expendable<Connection>> ConnectionList::expendable(std::size_t most) {
  std::vector<Expendable<Connection>> found;
  for (const auto& connection : connections_) {
    if (const auto candidate = connection->expendable()) found.push_back(*candidate);
  }
  keep_first(found, most);
  return found;
}

void ConnectionList::release_memory() {
  for (const auto& connection : connections_) connection->release_memory();
}

void ConnectionList::tick(Clock::time_point now) {
  for (std::size_t i = connections_.size(); i-- > 0;) {
    if (i < connections_.size()) connections_[i]->tick(now);
  }
}

void ConnectionList::report(Connection& connection, std::string_view error) {
  report(connection, identify(connection.descriptor()), "malformed bytes from a front server",
         error);
}

void ConnectionList::report_unread(Connection& connection) {
  report(connection, identify(connection.descriptor()), "connection closed",
         "timeouts.send: the peer takes nothing of its responses");
}

void ConnectionList::report_excess(Connection& connection, const Peer& client) {
  report(connection, client, "connection refused", "limits.connections_per_client");
}

void ConnectionList::report(Connection& connection, const Peer& peer, std::string_view message,
                            std::string_view error) {
  const auto decision = reports_.admit(connection.front().name, services_.reactor.now());
  if (!decision.write) return;
  services_.log.warning(message, {{"listener", connection.front().name},
                                  {"peer", peer.name},
                                  {"error", error},
                                  {"suppressed", decision.suppressed}});
}

}  // namespace viaduct::daemon::bridge
