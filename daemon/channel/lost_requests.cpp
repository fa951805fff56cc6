#include "daemon/channel/lost_requests.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::daemon::channel {

void LostRequests::add(std::string_view line) {
  ++total;
  if (lines.size() == kMax) return;
  std::string& kept = lines.emplace_back(line.substr(0, kMaxLine));
  // Ends a line in encode().
  std::replace(kept.begin(), kept.end(), '\0', '?');
}

void LostRequests::add(LostRequests part) {
  total += part.total;
  for (std::string& line : part.lines) {
    if (lines.size() < kMax) lines.push_back(std::move(line));
  }
}

std::string encode(const LostRequests& requests) {
  std::string bytes;
  for (const std::string& line : requests.lines) bytes.append(line).push_back('\0');
  return bytes;
}

LostRequests decode(std::string_view bytes, std::uint64_t total) {
  LostRequests requests;
  const std::uint64_t most = std::min<std::uint64_t>(total, LostRequests::kMax);
  while (!bytes.empty() && requests.lines.size() < most) {
    const std::size_t end = std::min(bytes.find('\0'), bytes.size());
    requests.add(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  requests.total = total;
  return requests;
}

}  // namespace viaduct::daemon::channel
