#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "daemon/bridge/reactor.hpp"

namespace viaduct::daemon::bridge {

/// A connection that may be closed for a new one once there are limits.connections of them.
template <class Connection>
struct Expendable {
  Connection* connection = nullptr;
  bool in_head = false;       ///< a part of a request head has come; false: between two requests
  Clock::time_point since{};  ///< it has been like that
};

/// Whether `left` is closed before `right`: idle ones first, the longest idle of them.
template <class Connection>
bool goes_first(const Expendable<Connection>& left, const Expendable<Connection>& right) {
  if (left.in_head != right.in_head) return right.in_head;
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
