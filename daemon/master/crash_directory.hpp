#pragma once

#include <cstddef>
#include <string>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/master/crash_report.hpp"

namespace viaduct::daemon::master {

/// A directory of crash reports, which several apps may share. No symbolic link in it is followed,
/// so that whoever else may write there gains nothing.
class CrashDirectory {
 public:
  /// Reports of each app that are kept: the oldest go.
  static constexpr std::size_t kKept = 100;

  /// Makes it, mode 0750, when it does not exist; its parent must. Throws std::system_error that
  /// names it when it cannot be written to.
  explicit CrashDirectory(const std::string& path);

  /// Writes a report, mode 0640, and removes those that are too many. Returns its path. Throws
  /// std::system_error; nothing is left of it then.
  std::string add(const CrashReport& report) const;

 private:
  void remove_oldest(const std::string& app) const;

  std::string path_;
  UniqueFd directory_;
};

}  // namespace viaduct::daemon::master
