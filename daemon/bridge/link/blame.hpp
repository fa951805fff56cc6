#pragma once

#include <cstdint>

#include "protocol/message.hpp"

namespace viaduct::daemon::bridge {

/// A request that was lost together with its connection.
struct LostRequest {
  bool delivered = true;   ///< at least one byte of it was written
  bool answering = false;  ///< the head of its response had come
  bool lost_before =
      false;  ///< for an earlier attempt, delivered and without a head, a server was blamed
  std::uint64_t head = 0;  ///< bytes of its variables, see head_size
};

enum class Blame : std::uint8_t { server, request };

/// Whether a lost request is a failure of its server, or one that the request brings about wherever
/// it goes. `longest_answered`: of the heads that servers of the app have answered, the size of the
/// longest; 0: they have answered none.
///
/// A server that closes a connection on the head of a request may have ended, or may have no room
/// for that head: uWSGI closes it without a word when the variables exceed `buffer-size`. A head
/// that is longer than any that was answered speaks for that. A request that was lost before counts
/// once: its second attempt shows nothing that the first has not.
Blame blame(const LostRequest& lost, std::uint64_t longest_answered);

/// Bytes of names, values and their lengths.
std::uint64_t head_size(const protocol::Pairs& params);

}  // namespace viaduct::daemon::bridge
