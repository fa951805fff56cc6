#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "daemon/bridge/reactor.hpp"

namespace viaduct::daemon::bridge {

/// A connection that may be closed for a new one once there are limits.connections of them.
template <class Connection>
struct Expendable {
  /// In the order in which they are closed.
  enum class State : std::uint8_t {
    answered,  ///< its last response has been sent, the rest of a body is dropped
    idle,      ///< between two requests
    in_head,   ///< a part of a request head has come
  };

  Connection* connection = nullptr;
  State state = State::idle;
  Clock::time_point since{};  ///< it has been like that
};

/// Whether `left` is closed before `right`: of two in the same state, the one that has been in it
/// for longer.
template <class Connection>
bool goes_first(const Expendable<Connection>& left, const Expendable<Connection>& right) {
  if (left.state != right.state) return left.state < right.state;
  return left.since < right.since;
}

/// The first `most` of them, in order.
template <class Connection>
void keep_first(std::vector<Expendable<Connection>>& all, std::size_t most) {
  const std::size_t count = std::min(all.size(), most);
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(),
                    goes_first<Connection>);
  all.resize(count);
}

}  // namespace viaduct::daemon::bridge
