#pragma once

#include <cstdint>

namespace viaduct::daemon::bridge {

/// How a worker takes requests, as far as that is known, the most restrictive last but `unknown`.
enum class Taking : std::uint8_t {
  unknown,  ///< it has not said yet
  many,     ///< many on a link with flow control, each at little cost
  threads,  ///< many on a link with flow control, each occupying a thread
  one,      ///< one for each connection: a plain worker
};

}  // namespace viaduct::daemon::bridge
