// How the bridge serves the requests of an app: how long, how much, how often it tries.
//
// Durations are milliseconds, sizes bytes. In `Timeouts` 0 means off: that step is not limited.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace viaduct::daemon::config {

using std::chrono::milliseconds;

// The protocol that servers of `connect` speak.
enum class ServerProtocol { fastcgi, scgi, uwsgi };
// The name in the configuration.
std::string_view to_string(ServerProtocol protocol);

enum class Multiplex { never, automatic };
enum class ConcurrencyModel { threads, fibers };
enum class Retry { never, idempotent };
// Whether the bridge takes the whole body of a request before it takes a worker.
enum class Buffering { automatic, always, never };

// Bytes per second: the default of limits.body_rate on http listeners.
inline constexpr std::uint32_t kHttpBodyRate = 500;

// Limits of one bridge process, all threads together.
struct GlobalLimits {
  std::uint32_t connections = 16384;    // front connections open at once
  std::uint64_t memory = 512ull << 20;  // bytes buffered for requests; 0: no limit
  // Bytes of a body that a client has to send per second; 0: any. Absent: kHttpBodyRate on http
  // listeners, any on others.
  std::optional<std::uint32_t> body_rate{};
  std::uint64_t spool = 4ull << 30;          // bytes in temporary files; 0: no limit
  std::uint32_t connections_per_client = 0;  // on http listeners; 0: no limit

  bool operator==(const GlobalLimits&) const = default;
};

// See "what happens when" in conf/viaduct.yaml for what each of them does when it passes.
struct Timeouts {
  milliseconds start{10'000};    // exec to the first answer
  milliseconds connect{1'000};   // connect() to a worker
  milliseconds queue{5'000};     // waiting for a free slot
  milliseconds request{30'000};  // complete params to the response head, queue and retry included
  milliseconds stall{60'000};    // silence of the app after the response head
  milliseconds body{60'000};     // silence of the client while its body is waited for
  milliseconds send{60'000};     // the client takes nothing of the response
  milliseconds slow{0};          // a request that takes longer is reported as slow
  milliseconds abort{5'000};     // abort to the end of the request, before the worker is replaced
  milliseconds stop{30'000};     // draining

  bool operator==(const Timeouts&) const = default;
};

struct AppLimits {
  std::uint32_t queue = 1024;                // waiting requests, at least 1
  std::uint64_t params = 64ull << 10;        // bytes of names and values of one request
  std::uint64_t body = 64ull << 20;          // bytes of one request body; 0: no limit
  std::uint64_t retry_buffer = 64ull << 10;  // bytes of a body kept for a retry; 0: none is kept
  // A worker that reaches one of these is replaced; 0: no limit.
  std::uint32_t requests = 0;
  milliseconds age{0};
  std::uint64_t memory = 0;  // bytes

  bool operator==(const AppLimits&) const = default;
};

// Bytes of one response that are kept for a client that takes them more slowly than a plain worker
// writes them; beyond, the worker waits.
struct ResponseBuffers {
  std::uint64_t memory = 64ull << 10;
  std::uint64_t file = 1ull << 30;  // beyond `memory`, in a temporary file

  bool operator==(const ResponseBuffers&) const = default;
};

// A route whose requests were at `deaths` workers that crashed `within` that time is closed.
struct Poison {
  std::uint32_t deaths = 3;     // 0: never
  milliseconds within{60'000};  // 0: never
  milliseconds closed{30'000};  // the first time; 0: never

  bool operator==(const Poison&) const = default;
};

// Absent values are the application's own choice; failing that threads with 8, fibers with 1000.
struct Concurrency {
  std::optional<ConcurrencyModel> model;
  std::optional<std::uint32_t> limit;  // requests one worker takes at once, 1 to 65535

  bool operator==(const Concurrency&) const = default;
};

// A CGI variable that viaductd sets on every request, or drops when there is no value.
struct ParamOverride {
  std::string name;
  std::optional<std::string> value;

  bool operator==(const ParamOverride&) const = default;
};

inline constexpr std::uint32_t kWholeShare = 10'000;  // shares are hundredths of a percent

// When a server of `connect` counts as down.
struct Health {
  milliseconds interval{
      0};                  // between two attempts to connect, made for this alone; 0: none are made
  std::uint32_t fail = 3;  // failures in a row, of requests and attempts, 1 to 1000: it is down
  std::uint32_t pass = 2;  // successful attempts in a row, 1 to 1000: it is up again

  bool operator==(const Health&) const = default;
};

// How servers of `connect` are spoken to.
struct ServerSettings {
  ServerProtocol protocol = ServerProtocol::fastcgi;
  bool keepalive = false;                  // connections are kept between requests
  Multiplex multiplex = Multiplex::never;  // automatic: one connection carries many requests if the
                                           // server says that it can
  Health health;
  // No keys of the configuration. A request that is not read for so long, by workers of `command`,
  // too, goes over another one; a new connection that is silent for so long may wait for a process.
  std::chrono::milliseconds unread{100};
  std::chrono::milliseconds silence{250};

  bool operator==(const ServerSettings&) const = default;
};

}  // namespace viaduct::daemon::config
