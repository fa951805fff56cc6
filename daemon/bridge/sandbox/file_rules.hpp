#pragma once

#include <string>
#include <system_error>

namespace viaduct::daemon::bridge {

/// Allows the calling thread, and those that it starts, to make, write and remove files in `spool`
/// alone, and to read only those that the resolver and the clock need: /etc, the directory of
/// resolv.conf and those of the services that make it, the time zones (landlock(7)). What is open
/// stays usable. Cannot be undone. The error is that of the kernel: ENOSYS or EOPNOTSUPP where it
/// has no Landlock.
[[nodiscard]] std::error_code restrict_files(const std::string& spool);

}  // namespace viaduct::daemon::bridge
