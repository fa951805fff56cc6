#pragma once

namespace viaduct {
inline namespace v1 {
namespace detail {

/// From now on the process says on standard error why it crashes, in lines that begin with
/// protocol::kCrashMark: the signal, the request in hand, the exception that nobody caught, the
/// stack. Then it ends as it would have: by the same signal, with the same core file.
///
/// Signals for which the application or a sanitizer has a handler are left alone. The signal
/// handler only notes the stack; a thread that waits for nothing else puts it into words, since
/// that takes memory, which the crash may have made unusable: after a few seconds without it the
/// addresses must do.
///
/// For the life of the process; a second call does nothing. From the main thread, before others
/// run.
void report_crashes();

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
