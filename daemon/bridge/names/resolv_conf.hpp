#pragma once

#include <optional>
#include <string>

namespace viaduct::daemon::bridge {

/// The file that resolv.conf leads to, when it is there and this process may not read it; nothing
/// otherwise. The rules of the sandbox cover directories that were there when they were made: a
/// bridge that began before the service that makes the file is kept from it, and a new one is not.
[[nodiscard]] std::optional<std::string> forbidden_resolv_conf(
    const std::string& path = "/etc/resolv.conf");

}  // namespace viaduct::daemon::bridge
