#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::channel {

/// Memory for an answer that is longer than a message. The master makes it, seals its size and
/// gives it to the bridge with the question. The bridge may change the bytes at any time, so the
/// master works on a copy.

/// A close-on-exec memfd of `size` bytes that can neither shrink nor grow. Throws
/// std::system_error.
UniqueFd make_answer_memory(std::size_t size);

/// Stores the answer at the beginning of the memory. False when it does not fit or cannot be
/// written.
bool write_answer(int memory, std::string_view answer);

/// A copy of the first `size` bytes. Nothing when the memory, of `limit` bytes, is shorter than
/// that. Never waits for the bridge.
std::optional<std::string> read_answer(int memory, std::size_t size, std::size_t limit);

}  // namespace viaduct::daemon::channel
