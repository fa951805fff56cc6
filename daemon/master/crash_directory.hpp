#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/master/crash_report.hpp"

namespace viaduct::daemon::master {

/// Where a search for old reports of one app goes on: the newest that it has come across, and a
/// position of telldir(3). Begins with {}.
struct CrashSearch {
  std::set<std::string> kept;
  long position = 0;

  [[nodiscard]] bool finished() const { return position == 0; }
};

/// A directory of crash reports, which several apps may share. No symbolic link in it is followed,
/// so that whoever else may write there gains nothing.
class CrashDirectory {
 public:
  /// Reports of each app that are kept: the oldest go.
  static constexpr std::size_t kKept = 100;
  /// Names that add() looks at: a worker that may write there can put millions in it.
  static constexpr std::size_t kMostEntries = 8192;

  /// Makes it, mode 0750, when it does not exist; its parent must. Throws std::system_error that
  /// names it when it cannot be written to.
  explicit CrashDirectory(const std::string& path);

  /// Writes a report, mode 0640, and removes those that are too many. Where there are more than
  /// kMostEntries, `search` remembers how far it came, for the next report of that app. Returns the
  /// path. Throws std::system_error; nothing is left of the report then.
  std::string add(const CrashReport& report, CrashSearch& search) const;

 private:
  void remove_oldest(const std::string& app, CrashSearch& search) const;

  std::string path_;
  UniqueFd directory_;
};

}  // namespace viaduct::daemon::master
