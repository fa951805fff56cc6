#pragma once

#include <chrono>
#include <cstdint>

#include "daemon/config/request_settings.hpp"

namespace viaduct::daemon::config {

/// How limits.memory is kept: what is done at how many bytes held by all threads of a bridge.
///
///     0 ......... refuse_above() ................. limit ............ limit + threads x step()
///       served      new requests are refused,        those that hold
///                   503; what is expendable is       most are given up
///                   given up, the largest first
///
/// Expendable are long heads of requests that are not complete, and what nobody reads.
///
/// Pure.
struct MemoryPolicy {
  std::uint64_t limit = 0;  ///< bytes; 0: nothing is refused or given up
  std::uint32_t threads = 1;
  /// A connection is expendable once its client has read nothing for so long.
  std::chrono::milliseconds unread{30'000};

  /// A new request is refused while more than this is held.
  [[nodiscard]] std::uint64_t refuse_above() const { return limit - limit / 8; }
  /// How far a thread's part may change before the others hear of it.
  [[nodiscard]] std::uint64_t step() const;
  [[nodiscard]] bool refuses(std::uint64_t held) const {
    return limit != 0 && held > refuse_above();
  }
  /// Bytes to be given up when so much is held: nothing up to the limit, else so much that new
  /// requests are served again.
  [[nodiscard]] std::uint64_t excess(std::uint64_t held) const;
  /// The same of what is expendable, from where requests are refused on.
  [[nodiscard]] std::uint64_t excess_of_expendable(std::uint64_t held) const;
  /// Bytes that the heap may have free, for allocations to come, while held and free ones together
  /// exceed the limit; beyond that it is made to return them to the kernel.
  [[nodiscard]] std::uint64_t heap_slack() const;
};

/// Bytes of memory that a process of the bridge takes at most (resident set), whatever its peers
/// do; 0 where limits.memory is 0: there is no bound.
[[nodiscard]] std::uint64_t memory_bound(const GlobalLimits& limits, std::uint32_t threads);

/// Parts of it: what an idle connection is, its buffers excepted; a thread with what all of its
/// connections share; and a process that does nothing.
constexpr std::uint64_t kMemoryOfConnection = 4 * 1024;
constexpr std::uint64_t kMemoryOfThread = 4 * 1024 * 1024;
constexpr std::uint64_t kMemoryOfProcess = 24 * 1024 * 1024;

}  // namespace viaduct::daemon::config
