#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::master {

/// Device and inode: which file it is, whatever its name.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;

  bool operator==(const FileId&) const = default;
};

/// A directory that stays open. Files in it are reached below its descriptor, and no symbolic link
/// is followed there: whoever may rename in the directory, or above it, leads nobody to another
/// file. The master may be root, so it changes owner and mode of files through this class and
/// SocketFile only.
///
/// Functions throw std::system_error that names the path, unless they are noexcept.
class Directory {
 public:
  /// An existing directory. Root follows links of others as channel::open_place() does: never to a
  /// directory that they do not own.
  static Directory open(const std::string& path);
  /// Makes `path` with this mode, whatever the umask, unless it is there; then opens it. Links
  /// are followed as by open().
  static Directory make(const std::string& path, mode_t mode);

  /// The directory `name` in this one, made if it is missing. It gets this mode, whatever the
  /// umask. Refused: a symbolic link, and a directory of another user.
  [[nodiscard]] Directory make_below(const std::string& name, mode_t mode) const;
  /// An existing directory in this one. Refused: a symbolic link.
  [[nodiscard]] Directory open_directory_below(const std::string& name) const;
  /// Opens the file `name` in this directory.
  [[nodiscard]] UniqueFd open_below(const std::string& name, int flags, mode_t mode = 0) const;

  /// Whether path() still leads to it.
  [[nodiscard]] bool in_place() const noexcept;

  [[nodiscard]] uid_t owner() const;
  /// Why root must not keep its own files in it (config::runtime_dir_problem()); "" where it may.
  [[nodiscard]] std::string problem_for_root() const;

  /// Names of what is in it, kMostEntries at most, in no order.
  [[nodiscard]] std::vector<std::string> names() const;

  /// Removes the file `name`; whether it is gone.
  bool unlink(const std::string& name) const noexcept;
  /// Removes `name` with everything below it; whether it is gone. A symbolic link is removed, never
  /// followed. Stops when more than kMostEntries are there, and leaves what is deeper than
  /// kMostDeep directories: a daemon makes less, and nobody keeps root busy with what he has put
  /// there.
  bool remove_tree(const std::string& name) const noexcept;
  static constexpr std::size_t kMostEntries = 8192;
  static constexpr int kMostDeep = 8;

  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Directory(UniqueFd descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  UniqueFd descriptor_;
  std::string path_;
};

}  // namespace viaduct::daemon::master
