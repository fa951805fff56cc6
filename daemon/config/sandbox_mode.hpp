// bridge.sandbox.
#pragma once

#include <cstdint>

namespace viaduct::daemon::config {

// `automatic` (auto): as much as the kernel can do.
enum class SandboxMode : std::uint8_t { automatic, required, off };

}  // namespace viaduct::daemon::config
