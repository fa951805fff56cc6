#include "daemon/bridge/link/blame.hpp"

namespace viaduct::daemon::bridge {

Blame blame(const LostRequest& lost, std::uint64_t longest_answered) {
  if (lost.answering || !lost.delivered) return Blame::server;
  if (lost.lost_before) return Blame::request;
  const bool longest = longest_answered != 0 && lost.head > longest_answered;
  return longest ? Blame::request : Blame::server;
}

std::uint64_t head_size(const protocol::Pairs& params) {
  constexpr std::uint64_t kLengths = 4;
  return params.bytes() + kLengths * params.size();
}

}  // namespace viaduct::daemon::bridge
