#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "daemon/master/directory.hpp"

namespace viaduct::daemon::master {

/// The file of a listening Unix socket: identified by device and inode, changed only by descriptor.
/// Copies stand for the same file.
///
/// Functions throw std::system_error that names the path, unless they are noexcept.
class SocketFile {
 public:
  /// Does nothing unless bind() would fail at the directory of `path`: it is not there, or root is
  /// led there by a link of another user (EPERM). To be asked before anything is done at the path.
  static void check_place(const std::string& path);
  /// Binds `socket` to `path`. The file has this mode from its first moment, whatever the umask.
  /// Changes the umask meanwhile: not for processes with several threads.
  static SocketFile bind(int socket, const std::string& path, mode_t mode);
  /// The socket file that is at `path` now, or nothing, also where a link of another user leads
  /// root there.
  static std::optional<SocketFile> find(const std::string& path) noexcept;

  /// Absent values leave things as they are. Throws ESTALE, and changes nothing, when something
  /// else is at the path now.
  void set_owner(std::optional<uid_t> uid, std::optional<gid_t> gid) const;
  void set_mode(mode_t mode) const;

  /// Whether the path leads to the file now: nobody has removed it, put another in its place, or
  /// done so with a directory above it.
  [[nodiscard]] bool in_place() const noexcept;

  /// Removes the file if it is still at its path.
  void unlink() const noexcept;

 private:
  SocketFile(std::shared_ptr<const Directory> directory, std::string name, FileId id)
      : directory_(std::move(directory)), name_(std::move(name)), id_(id) {}

  static std::optional<SocketFile> find_in(std::shared_ptr<const Directory> directory,
                                           std::string name);
  [[nodiscard]] UniqueFd open() const;

  std::shared_ptr<const Directory> directory_;
  std::string name_;
  FileId id_;
};

}  // namespace viaduct::daemon::master
