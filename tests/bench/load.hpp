#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "tests/bench/histogram.hpp"

namespace viaduct::bench {

/// What to do to a FastCGI server.
struct LoadPlan {
  std::string path;                 ///< Unix socket; a leading '@' names an abstract one
  unsigned connections = 64;        ///< kept open throughout
  std::uint16_t requests_each = 1;  ///< requests in flight on each connection, ids 1 to this
  std::string uri = "/";
  int status = 200;                     ///< expected of every answer
  std::string body;                     ///< expected of every answer
  std::chrono::nanoseconds warmup{};    ///< answers that are checked, not measured
  std::chrono::nanoseconds duration{};  ///< measured
  std::chrono::nanoseconds timeout{};   ///< silence of the server after which the run ends
};

struct LoadResult {
  std::uint64_t answers = 0;   ///< right ones, warm-up and the last ones in flight included
  std::uint64_t failures = 0;  ///< wrong answers, and requests that were never answered
  std::string first_failure;   ///< what happened, empty without failures
  Histogram latency;  ///< nanoseconds from write to FCGI_END_REQUEST; measured answers only
  std::chrono::nanoseconds measured{};  ///< what their number is to be divided by for the rate
  std::chrono::nanoseconds cpu{};       ///< used by this process during the run
};

/// Applies a closed-loop load from the calling thread: each of the requests in flight is replaced
/// by the next one when it is answered, and all that one turn of the loop has to send on a
/// connection goes out in one write. A connection that breaks fails what was in flight on it and is
/// opened again. At the end the answers still outstanding are waited for.
///
/// Throws std::system_error when the server cannot be connected to.
LoadResult run_load(const LoadPlan& plan);

}  // namespace viaduct::bench
