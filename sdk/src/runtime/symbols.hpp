#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sdk/src/runtime/stack_frames.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// A frame as `function at file.cpp:12 (module+0xOFFSET)`, the offset being what addr2line(1)
/// takes; in front of it, each on a line of its own, the application's functions that were inlined
/// there. Function names come from the symbol table, local ones included, unless it was stripped;
/// files and lines from the debug information, if there is some.
///
/// Reads the program's file and takes its time for it the first time: not for signal handlers.
[[nodiscard]] std::string describe_frame(std::uintptr_t frame);

/// The lines of a handler's stack, the innermost first, without the runtime that called it.
[[nodiscard]] std::vector<std::string> describe_stack(const StackFrames& frames);

/// Likewise, every line ended by '\n', as many as go into `limit` bytes.
[[nodiscard]] std::string stack_text(const StackFrames& frames, std::size_t limit);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
