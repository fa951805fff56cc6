#pragma once

#include <stdexcept>
#include <string>

#include "daemon/tool/command_line.hpp"

namespace viaduct::daemon::tool {

struct Answer {
  int status = 0;
  std::string body;
};

/// Nobody is there, or the connection ended before the answer; the text names the address.
class Unreachable : public std::runtime_error {
  using std::runtime_error::runtime_error;
};
class TimedOut : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Asks viaductd and waits. Throws Unreachable, TimedOut.
Answer ask(const CommandLine& line);

}  // namespace viaduct::daemon::tool
