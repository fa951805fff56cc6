#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "daemon/bridge/link/link.hpp"
#include "daemon/bridge/reactor.hpp"

namespace viaduct::daemon::bridge {

/// How long a request that has been moved so often may go unread: `least`, and twice as long with
/// each move. Where nobody is scheduled in time, moves must not become the load.
constexpr std::chrono::milliseconds unread_patience(std::chrono::milliseconds least,
                                                    unsigned moves) {
  constexpr unsigned kMostDoublings = 10;
  return least * (1U << std::min(moves, kMostDoublings));
}

/// The connections of one thread to one worker, each of which carries one request at a time.
///
/// One is kept behind a request only when that request had no body, and used again only for one
/// that can be repeated: what a client sent as body must never be read as the next request, and a
/// request that cannot be repeated must not meet a connection that is just being closed.
class PlainLinks {
 public:
  struct Entry {
    std::shared_ptr<Link> link;
    bool busy = false;
    bool keep = false;     ///< once its request has ended
    bool used = false;     ///< it has carried a request before
    bool revives = false;  ///< its request was given to a server that was down
    Clock::time_point deadline = Clock::time_point::max();  ///< of its request
    unsigned moves = 0;                                     ///< Worker::Request::moves, of the same
    Clock::time_point idle_since{};
  };

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t idle_count() const;
  Entry& add(std::shared_ptr<Link> link);
  /// How many the worker has accepted for certain.
  [[nodiscard]] std::size_t heard_count() const;
  /// Whether a new one has been silent since `then` or longer.
  [[nodiscard]] bool silent_since(Clock::time_point then) const;
  /// One without a request, that which has been without for the longest time; or null. The program
  /// behind it may go on with its last request after having ended that (fastcgi_finish_request),
  /// and is the likeliest to have come to its end.
  Entry* idle();
  /// Whether there are requests that take_back_unread() would take back.
  [[nodiscard]] bool has_unread(Clock::time_point now, std::chrono::milliseconds least) const;
  Entry* find(const Link& link);
  /// Its request has ended.
  static void rest(Entry& entry, Clock::time_point now);
  /// Takes it out. Null when it is none of these.
  std::shared_ptr<Link> take(const Link& link);

  // Closing one may close or open others.
  void close_all(const std::string& reason);
  void close_idle(const std::string& reason);
  void close_idle_since(Clock::time_point then, const std::string& reason);
  /// Takes back requests that have gone unread for their unread_patience: see Link::take_back.
  void take_back_unread(Clock::time_point now, std::chrono::milliseconds least,
                        const std::string& reason);
  void close_connecting_since(Clock::time_point then, const std::string& reason);

 private:
  static bool is_unread(const Entry& entry, Clock::time_point now, std::chrono::milliseconds least);
  template <class Condition>
  void close_if(Condition condition, const std::string& reason);

  std::vector<Entry> entries_;
};

}  // namespace viaduct::daemon::bridge
