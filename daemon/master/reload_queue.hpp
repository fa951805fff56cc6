#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "daemon/master/control/commands.hpp"

namespace viaduct::daemon::master {

/// What is to follow the generation that serves.
struct ReloadOrder {
  enum class Kind {
    whole,       ///< the configuration file, all of it or nothing
    keep_going,  ///< the same, but for apps that fail
    app,         ///< one app's section of the file
    restart,     ///< the configuration in force, with new workers for one app
  };

  Kind kind = Kind::whole;
  std::string app{};  ///< of `app` and `restart`

  bool operator==(const ReloadOrder&) const = default;

  /// Whether the file is read.
  bool reads_file() const { return kind != Kind::restart; }
  /// Whether the order puts that app's settings in force.
  bool applies(const std::string& name) const {
    return kind == Kind::whole || kind == Kind::keep_going || (kind == Kind::app && app == name);
  }
};

/// Orders that wait while one is carried out, or an upgrade is. Each is carried out by itself, so
/// that none fails for another's sake; equal ones are one. A pure object.
class ReloadQueue {
 public:
  using Done = control::Commands::Done;

  struct Request {
    ReloadOrder order{};
    std::vector<Done> waiting{};  ///< to be told how it went
  };

  /// Orders for single apps that wait; those for the whole file are always taken, being two at
  /// most.
  static constexpr std::size_t kMaxOfApps = 256;

  /// `done` may be null. Returns false, and leaves `done` alone, when kMaxOfApps other orders wait.
  [[nodiscard]] bool add(ReloadOrder order, const Done& done);

  bool empty() const { return requests_.empty(); }
  /// Whether the whole file is to be read.
  bool has_whole() const;

  /// The one that was there first. Not of an empty queue.
  Request take();

  /// Forgets all orders; returns who waits for them.
  std::vector<Done> clear();

 private:
  std::deque<Request> requests_;
};

}  // namespace viaduct::daemon::master
