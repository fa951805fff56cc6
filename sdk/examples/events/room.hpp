#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include <viaduct/channel.hpp>

namespace events {

struct Message {
  std::uint64_t id = 0;  ///< from 1 on
  std::string text;
};

/// A chat room: what is said reaches everybody who listens, in order. Remembers the last 100
/// messages for those who come back. Any number of handlers may use it at once.
class Room {
 public:
  using Inbox = viaduct::Channel<Message>;

  /// An inbox that gets what was said after the message `after`, as far as it is remembered, and
  /// what will be said while the caller keeps it. One that is not emptied in time is closed: its
  /// owner may listen anew. Null when 10000 listen already.
  [[nodiscard]] std::shared_ptr<Inbox> listen(std::uint64_t after);
  void say(std::string text);

 private:
  std::mutex mutex_;  // never held across a wait
  std::uint64_t last_ = 0;
  std::deque<Message> remembered_;
  std::list<std::weak_ptr<Inbox>> inboxes_;
};

}  // namespace events
