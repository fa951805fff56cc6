#pragma once

#include <chrono>
#include <cstdint>

#include "daemon/config/request_settings.hpp"

namespace viaduct::daemon::config {

/// Terms of memory_bound(). An idle connection, its buffers excepted.
constexpr std::uint64_t kMemoryOfConnection = 4 * 1024;
/// A thread: its stack, the buffer into which it receives, lines of the access log that wait, and
/// what one event adds before it is counted. An event takes at most 256 KiB from one socket.
constexpr std::uint64_t kMemoryOfThread = 4 * 1024 * 1024;
/// Copies of one request's variables that an event may make: as received, larger, merged, one
/// merged value, and encoded for the worker. Strings that grow are there twice meanwhile.
constexpr std::uint64_t kCopiesOfParams = 6;
/// A process before its first connection: the pages of the program and its libraries, the
/// configuration.
constexpr std::uint64_t kMemoryOfProcess = 24 * 1024 * 1024;

/// How limits.memory is kept. Two numbers are looked at, both for all threads of a bridge together.
///
/// `held`: what requests and connections own, counted by themselves.
///
///     0 ......... refuse_above() ................. limit ............ limit + threads x step()
///       served      new requests are refused,        the largest requests
///                   503; what is expendable is       and connections are
///                   given up, the largest first      given up
///
/// Expendable are long incomplete heads, and connections that nobody reads from.
///
/// `footprint`: pages that the process has from the kernel, beyond those it started with. They
/// exceed `held` by what the heap has free: memory freed by small allocations is of no use to
/// buffers, which have mappings of their own, nor to another thread.
///
///     0 .............. footprint_target() ............ footprint_limit()
///       nothing          after free memory was           free memory is returned
///                        returned: the largest are       to the kernel
///                        given up
///
/// A thread looks at the footprint after each step() bytes that it has added, freed ones not
/// deducted, and waits while another thread returns memory. So the footprint exceeds its limit by
/// no more than a step and one event for each thread, however the threads are scheduled.
///
/// Pure.
struct MemoryPolicy {
  std::uint64_t limit = 0;  ///< bytes; 0: nothing is refused or given up
  std::uint32_t threads = 1;
  std::uint64_t connections = 0;  ///< limits.connections
  /// A connection is expendable once its client has read nothing for so long.
  std::chrono::milliseconds unread{30'000};

  /// A new request is refused while more than this is held.
  [[nodiscard]] std::uint64_t refuse_above() const { return limit - limit / 8; }
  /// How far a thread's part may change, or what it adds, before the others hear of it.
  [[nodiscard]] std::uint64_t step() const;
  [[nodiscard]] bool refuses(std::uint64_t held) const {
    return limit != 0 && held > refuse_above();
  }
  /// Bytes to be given up when so much is held: nothing up to the limit, else so much that new
  /// requests are served again.
  [[nodiscard]] std::uint64_t excess(std::uint64_t held) const;
  /// The same of what is expendable, from where requests are refused on.
  [[nodiscard]] std::uint64_t excess_of_expendable(std::uint64_t held) const;

  /// Bytes that the heap may have free while the limit is held.
  [[nodiscard]] std::uint64_t heap_slack() const;
  [[nodiscard]] std::uint64_t footprint_limit() const;
  /// Half of the slack below the limit, so that memory is returned at most once for as much growth.
  [[nodiscard]] std::uint64_t footprint_target() const;
  /// Bytes to be given up when the footprint is so large although free memory was returned. Nothing
  /// while at most an eighth of the limit is held: giving that up would not help.
  [[nodiscard]] std::uint64_t excess_of_footprint(std::uint64_t footprint,
                                                  std::uint64_t held) const;
};

/// Bytes of memory that a process of the bridge takes at most (resident set), whatever its peers
/// do and however its threads are scheduled; 0 where limits.memory is 0: there is no bound.
/// `params`: the largest limits.params of an app.
[[nodiscard]] std::uint64_t memory_bound(const GlobalLimits& limits, std::uint32_t threads,
                                         std::uint64_t params);

}  // namespace viaduct::daemon::config
