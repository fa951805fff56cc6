#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::master {

/// A bridge as one viaductd names it to another: by its process id and, while it lives, a pidfd of
/// it, which stays that of the process when the number has become another's.
struct BridgeHandle {
  pid_t pid = 0;
  UniqueFd process{};  ///< none: it has ended
};

/// A handle for a child that has not been waited for. Without `process` if that cannot be had.
BridgeHandle handle_of_child(pid_t pid);

/// The bridges of the viaductds that this one has followed: they finish their requests, are no
/// children of this process, and may be in other hands. Single-threaded.
class ForeignBridges {
 public:
  static constexpr std::size_t kMax = 256;  ///< of them; further ones are not taken

  /// `ended` is called from the event loop for each when it has ended; then it is forgotten here.
  ForeignBridges(boost::asio::io_context& io, std::function<void(pid_t)> ended);

  void add(BridgeHandle bridge);
  [[nodiscard]] bool contains(pid_t pid) const { return bridges_.contains(pid); }

  /// SIGKILL. Returns whether it is one of them and has not been killed before.
  bool kill(pid_t pid);
  void kill_all();

  /// Copies, for the viaductd that follows this one.
  [[nodiscard]] std::vector<BridgeHandle> handles() const;

 private:
  struct Bridge {
    explicit Bridge(boost::asio::io_context& io) : process(io) {}
    boost::asio::posix::stream_descriptor process;
    bool killed = false;
  };

  boost::asio::io_context& io_;
  std::function<void(pid_t)> ended_;
  std::map<pid_t, std::unique_ptr<Bridge>> bridges_;
};

}  // namespace viaduct::daemon::master
