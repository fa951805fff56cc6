#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace viaduct::daemon {

/// Counters and gauges in memory that the master and one bridge process share. The bridge's threads
/// write with relaxed atomics, the master reads at any time (master/board.hpp). Counters only grow.
struct AppScore {
  std::atomic<std::uint64_t> requests;         ///< accepted for this app
  std::atomic<std::uint64_t> failed;           ///< answered 5xx by the bridge itself
  std::atomic<std::uint64_t> aborted;          ///< the client left
  std::atomic<std::uint64_t> retried;          ///< sent to a second worker
  std::atomic<std::uint64_t> timeouts;         ///< request or stall time-outs
  std::atomic<std::uint64_t> errors;           ///< of workers: 5xx, lost, broken off or timed out
  std::atomic<std::uint64_t> canary_requests;  ///< of `requests`, those meant for canaries
  std::atomic<std::uint64_t> canary_errors;    ///< of `errors`, those of canaries
  std::atomic<std::int64_t> active;            ///< gauge: at workers now
  std::atomic<std::int64_t> queued;            ///< gauge: waiting now
};

/// Parts of a bridge's sandbox, as bits.
enum SandboxPart : std::uint32_t { kSyscallFilter = 1, kFileRules = 2 };

/// How much of its sandbox a bridge is in.
struct SandboxState {
  std::uint32_t parts = 0;  ///< of SandboxPart: those in force
  int seccomp_error = 0;    ///< why not kSyscallFilter: errno; 0: in force, or not wanted
  int landlock_error = 0;   ///< the same of kFileRules
};

struct Scoreboard {
  /// Apps of a full configuration.
  static constexpr std::uint32_t kMaxApps = 1024;
  std::atomic<std::uint64_t> progress;       ///< loop turns of the bridge, for the watchdog
  std::atomic<std::int64_t> connections;     ///< gauge: open front connections
  std::atomic<std::uint32_t> sandbox;        ///< as SandboxState::parts
  std::atomic<std::int32_t> seccomp_error;   ///< as SandboxState
  std::atomic<std::int32_t> landlock_error;  ///< as SandboxState
  std::atomic<std::uint64_t> malformed;      ///< front connections closed for bad bytes
  std::atomic<std::uint64_t> contradictory;  ///< requests whose X-Forwarded-* do not match up
  std::atomic<std::uint64_t> odd_fields;     ///< header fields left out for their names
  std::array<AppScore, kMaxApps> apps;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// Creates the shared memory (close-on-exec) and returns its descriptor; throws std::system_error.
/// Its size is sealed: a process that has it can change values and nothing else.
int create_scoreboard();
/// Maps it; the mapping lives as long as the process. Throws std::system_error.
Scoreboard& map_scoreboard(int descriptor);

}  // namespace viaduct::daemon
