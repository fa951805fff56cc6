// Which processes a user has.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace viaduct::daemon::config {

// A process of that user which is no bridge, as "pid 812 (nginx)"; absent when there is none. Its
// name is its own word.
std::optional<std::string> other_process_of(uid_t user);

}  // namespace viaduct::daemon::config
