#pragma once

#include <cstdint>
#include <map>
#include <utility>

namespace viaduct::daemon::master {

/// The workers that a bridge has been told of, by serial, and what it is believed about them: one
/// in other hands says what it likes.
class ToldWorkers {
 public:
  /// It is told of that worker. `asks`: it is to ask the worker the first question; else the worker
  /// is ready. False when it knows the worker: it is not told again.
  bool add(std::uint64_t serial, bool asks) { return workers_.try_emplace(serial, asks).second; }
  /// The worker has ended. Whether the bridge knew it.
  bool remove(std::uint64_t serial) { return workers_.erase(serial) > 0; }
  /// Another bridge takes its place.
  void clear() { workers_.clear(); }

  [[nodiscard]] bool knows(std::uint64_t serial) const { return workers_.contains(serial); }
  /// Whether its word that the worker has answered counts: it was told to ask. That stays so when
  /// another bridge is to ask new workers from now on, since the answer may be on its way.
  [[nodiscard]] bool asks(std::uint64_t serial) const {
    const auto found = workers_.find(serial);
    return found != workers_.end() && found->second.asks;
  }
  /// Whether it may have requests with the worker.
  [[nodiscard]] bool may_use(std::uint64_t serial) const {
    const auto found = workers_.find(serial);
    return found != workers_.end() && found->second.may_use;
  }
  /// It says that it uses the worker no more. False when it has said so before, or does not know
  /// the worker.
  bool leave(std::uint64_t serial) {
    const auto found = workers_.find(serial);
    return found != workers_.end() && std::exchange(found->second.may_use, false);
  }

 private:
  struct Told {
    explicit Told(bool to_ask) : asks(to_ask) {}
    bool asks;
    bool may_use = true;
  };
  std::map<std::uint64_t, Told> workers_;
};

}  // namespace viaduct::daemon::master
