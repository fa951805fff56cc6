#pragma once

#include <mutex>
#include <string_view>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::master {

/// A log file that one thread opens anew while another writes to it.
class LogFile {
 public:
  explicit LogFile(UniqueFd file) : file_(std::move(file)) {}

  /// Later lines go to `file`.
  void replace(UniqueFd file);
  /// Whole lines, which nothing comes between. Blocks as the file does; what it does not take (a
  /// full disk) is lost.
  void write(std::string_view lines);

 private:
  std::mutex mutex_;
  UniqueFd file_;
};

}  // namespace viaduct::daemon::master
