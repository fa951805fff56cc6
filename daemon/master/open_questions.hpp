#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/channel/message.hpp"
#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::master {

/// Questions that one bridge was asked and has not answered, each with the memory for its answer.
class OpenQuestions {
 public:
  /// A bridge that leaves so many of one kind unanswered is asked no more.
  static constexpr std::size_t kMaxOpen = 32;

  /// Opens the question of this message to the bridge, list_requests or worker_dead. Returns the
  /// memory for its answer, which stays open here, or -1 where too many are open. Throws
  /// std::system_error when there is no memory.
  int ask(const channel::Message& question);

  /// Takes the answer, a message of type listing or requests_lost, and closes its question. Nothing
  /// when there is no such question, or the memory does not hold so much.
  std::optional<std::string> take(const channel::Message& answer);

 private:
  using BySerial = std::map<std::uint64_t, UniqueFd>;
  BySerial lists_;
  BySerial losses_;
};

}  // namespace viaduct::daemon::master
