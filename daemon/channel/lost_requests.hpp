#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace viaduct::daemon::channel {

/// The requests that a worker had when it was lost, a line of text for each. What clients sent is
/// in it as it came: to be escaped by whoever shows it.
struct LostRequests {
  static constexpr std::size_t kMax = 64;       ///< lines
  static constexpr std::size_t kMaxLine = 512;  ///< bytes of one

  std::vector<std::string> lines;
  std::uint64_t total = 0;  ///< those for which there was no room included

  void add(std::string_view line);
  void add(LostRequests part);

  bool operator==(const LostRequests&) const = default;
};

/// The lines, as they travel.
std::string encode(const LostRequests& requests);

/// What encode() made, or whatever else somebody sends: within the limits, and never more lines
/// than `total`.
LostRequests decode(std::string_view bytes, std::uint64_t total);

}  // namespace viaduct::daemon::channel
