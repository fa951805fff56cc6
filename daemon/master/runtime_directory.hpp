#pragma once

#include <sys/types.h>

#include <string>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/account.hpp"

namespace viaduct::daemon::master {

/// runtime_dir/PID of this daemon, with workers/ for the workers' private sockets. A lock in it
/// says that the daemon lives; it is removed with everything in it by the destructor.
class RuntimeDirectory {
 public:
  /// Creates runtime_dir (0755) when it is missing, removes what dead daemons left in it, and makes
  /// the own directory; workers/ is 0700 and belongs to `bridge`. Throws std::system_error that
  /// names the path.
  RuntimeDirectory(const std::string& runtime_dir, const config::Account& bridge);
  ~RuntimeDirectory();
  RuntimeDirectory(const RuntimeDirectory&) = delete;
  RuntimeDirectory& operator=(const RuntimeDirectory&) = delete;

  const std::string& path() const { return path_; }

  /// Where the socket of the worker with this serial lives.
  std::string worker_socket(std::uint64_t serial) const;

  /// A listening socket at that path, mode 0600, owned by the bridge's user; close-on-exec. Throws
  /// std::system_error.
  UniqueFd listen_for_worker(std::uint64_t serial) const;
  void remove_worker_socket(std::uint64_t serial) const noexcept;

 private:
  std::string path_;
  config::Account bridge_;
  UniqueFd lock_;
};

}  // namespace viaduct::daemon::master
