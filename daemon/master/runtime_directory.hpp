#pragma once

#include <sys/types.h>

#include <string>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/account.hpp"
#include "daemon/master/directory.hpp"

namespace viaduct::daemon::master {

/// runtime_dir/PID of this daemon, with workers/ for the workers' private sockets. A lock in it
/// says that the daemon lives; it is removed with everything in it by the destructor.
class RuntimeDirectory {
 public:
  /// Creates runtime_dir (0755) when it is missing, removes what dead daemons left in it, and makes
  /// the own directory. workers/ is 0711 for root, else 0700: only the daemon makes and removes
  /// files there. Throws std::system_error that names the path; for root also when runtime_dir
  /// belongs to another user, or others may write to it and it is not sticky.
  RuntimeDirectory(const std::string& runtime_dir, const config::Account& bridge);
  ~RuntimeDirectory();
  RuntimeDirectory(const RuntimeDirectory&) = delete;
  RuntimeDirectory& operator=(const RuntimeDirectory&) = delete;

  /// Makes the own directory again if it, or one above it, has been removed or replaced. Returns
  /// whether that was so: the sockets of all workers are gone then. Throws as the constructor; the
  /// next call then tries it again.
  bool renew();

  const std::string& path() const { return own_.path(); }

  /// Where the socket of the worker with this serial lives.
  std::string worker_socket(std::uint64_t serial) const;

  /// A listening socket at that path, mode 0600, owned by the bridge's user; close-on-exec. Throws
  /// std::system_error.
  UniqueFd listen_for_worker(std::uint64_t serial) const;
  /// Whether a socket file is there in the workers' directory.
  [[nodiscard]] bool has_worker_socket(std::uint64_t serial) const noexcept;
  void remove_worker_socket(std::uint64_t serial) const noexcept;

 private:
  Directory runtime_dir_;
  config::Account bridge_;
  std::string name_;  // of the own directory in it
  Directory own_;
  Directory workers_;
  UniqueFd lock_;
};

}  // namespace viaduct::daemon::master
