#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace viaduct::daemon::master::control {

// What the daemon says of itself. The members are those of the JSON that GET /v1/status answers
// with; durations are milliseconds there.

struct WorkerStatus {
  std::string name;  ///< "shop/1"
  std::int64_t pid = 0;
  std::string state;  ///< starting, ready, draining, stopping, ...
  std::chrono::milliseconds uptime_ms{0};
  std::uint64_t requests = 0;  ///< given to it so far
  std::uint64_t memory = 0;    ///< bytes, of the process and its descendants
};

/// A server that others run.
struct ServerStatus {
  std::string name;            ///< its address
  std::string state;           ///< up, down; unknown: the bridge has not looked yet
  std::uint64_t active = 0;    ///< requests at it now
  std::uint64_t requests = 0;  ///< given to it so far, by this generation
  std::string failure;         ///< why it is down; "" when it is not
};

/// Which requests of an app its canaries are to get.
struct CanaryStatus {
  std::string app;
  std::string share;   ///< "5%"; "0%": by `header` only
  std::string header;  ///< of the requests that are theirs whatever the share; "": none

  bool operator==(const CanaryStatus&) const = default;
};

/// An app, or the canaries of one: "shop/canary". What is counted for an app includes its canaries;
/// of these only requests and errors are counted apart, and all else is 0.
struct AppStatus {
  std::string name;
  std::string state;    ///< starting, serving, failing; leaving: only older generations have it
  std::string failure;  ///< why a worker ended last that should not have; "" when none did
  std::uint64_t wanted = 0;  ///< workers
  std::int64_t active = 0;   ///< requests at workers now
  std::int64_t queued = 0;   ///< requests waiting now
  // Since the daemon started, or the app was added.
  std::uint64_t requests = 0;  ///< of canaries: those meant for them, whoever was free to serve
  std::uint64_t errors = 0;    ///< of workers: 5xx, lost, broken off, timed out
  std::uint64_t failed = 0;    ///< answered 5xx by the daemon itself
  std::uint64_t aborted = 0;   ///< the client left
  std::uint64_t retried = 0;   ///< sent to a second worker
  std::uint64_t timeouts = 0;  ///< timeouts.request and timeouts.stall
  std::vector<WorkerStatus> workers;
  std::vector<ServerStatus> servers;   ///< that others run; then there are no workers
  std::optional<CanaryStatus> canary;  ///< these are canaries
  /// Why a reload has not applied its section of the file; "" where nothing is known of that.
  std::string behind;
};

struct GenerationStatus {
  unsigned number = 0;
  std::string state;            ///< preparing, active, draining, ending
  std::int64_t bridge_pid = 0;  ///< 0: none at the moment
};

struct ListenerStatus {
  std::string protocol;
  std::string address;
  std::vector<std::string> apps;
  std::string failure{};  ///< why clients are refused; "" when they are not
};

struct Status {
  std::string version;
  std::int64_t pid = 0;
  std::chrono::milliseconds uptime_ms{0};
  std::string state;                 ///< starting, serving, stopping
  std::string file;                  ///< the configuration
  std::string last_reload;           ///< how the last reload went; "" when there was none
  std::int64_t connections = 0;      ///< from front servers, open now
  std::uint64_t malformed = 0;       ///< connections closed because of what they sent
  std::uint64_t contradictory = 0;   ///< requests whose X-Forwarded-* do not match up
  std::uint64_t odd_fields = 0;      ///< header fields left out for their names
  std::uint64_t violations = 0;      ///< bridges ended because they broke a rule of their channel
  std::vector<std::string> sandbox;  ///< of the current bridge: seccomp, landlock
  /// Parts that the kernel refuses to it, with the reason: "landlock: Function not implemented
  /// (ENOSYS)".
  std::vector<std::string> sandbox_lacks;
  std::vector<GenerationStatus> generations;
  std::vector<ListenerStatus> listeners;
  std::vector<AppStatus> apps;
};

/// One JSON object.
std::string to_json(const Status& status);

}  // namespace viaduct::daemon::master::control
