#pragma once

#include <string_view>

namespace viaduct::protocol {

/// What begins each line that a worker writes to its standard error to say why it crashes: signal,
/// request, exception, stack. viaductd keeps these lines for the crash report, and logs them only
/// when the worker lives on.
inline constexpr std::string_view kCrashMark = "viaduct-crash: ";

}  // namespace viaduct::protocol
