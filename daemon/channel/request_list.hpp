#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace viaduct::daemon::channel {

/// One request in flight, as a bridge tells it. Texts hold what clients sent, escaped by the
/// bridge; whoever shows them must not rely on that.
struct ListedRequest {
  static constexpr std::size_t kMaxText = 2048;   ///< bytes of one text
  static constexpr std::size_t kMaxFrames = 256;  ///< of one stack

  std::string id;
  std::string method;
  std::string target;
  std::string state;
  std::string no_stack;
  std::uint64_t age_ms = 0;
  std::int32_t worker_pid = 0;
  std::vector<std::string> stack;

  bool operator==(const ListedRequest&) const = default;
};

/// Requests in one list, and those of them that may have a stack.
inline constexpr std::size_t kMaxListed = 10'000;
inline constexpr std::size_t kMaxListedStacks = 50;
/// Bytes of one list.
inline constexpr std::size_t kMaxListBytes = 32 * 1024 * 1024;

/// The requests from the first on that fit into `limit` bytes; longer texts and stacks are cut.
struct EncodedList {
  std::string bytes;
  std::size_t requests = 0;
};
EncodedList encode(const std::vector<ListedRequest>& requests, std::size_t limit = kMaxListBytes);

/// Decodes bytes from encode(). Nothing when they are anything else, or exceed a limit above.
std::optional<std::vector<ListedRequest>> decode_list(std::string_view bytes);

}  // namespace viaduct::daemon::channel
