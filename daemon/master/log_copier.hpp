#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/log_settings.hpp"
#include "daemon/master/log_file.hpp"

namespace viaduct::daemon::master {

/// Copies the lines that bridges write for their logs from pipes into files, on a thread of its
/// own: neither a slow disk nor a busy event loop makes a bridge wait or lose lines. Lines are not
/// believed to be clean: what commands a terminal or ends a line is escaped, and one of more than
/// kLongestLine is cut in pieces. Nor may they be as many as a bridge likes: one that writes faster
/// than its pipe is read loses lines. Several bridges may write to one file.
class LogCopier {
 public:
  static constexpr std::size_t kLongestLine = 1024 * 1024;
  static constexpr std::chrono::milliseconds kTurn{100};

  struct Lines {
    config::LogFormat format = config::LogFormat::text;
    /// Positive. So many are read per kTurn, whether the pipe becomes empty meanwhile or not; so
    /// many at once when fewer came before. One read counts as 4 KiB at least, and what it adds is
    /// taken from what comes later.
    std::size_t bytes_per_turn = 1;
    int pipe_bytes = 1024 * 1024;  ///< that may wait to be read
  };

  /// The thread starts with the first pipe.
  LogCopier();
  /// Copies what the pipes hold by then, whether their writers have ended or not.
  ~LogCopier();
  LogCopier(const LogCopier&) = delete;
  LogCopier& operator=(const LogCopier&) = delete;

  /// The writing end of a new pipe, non-blocking, whose lines go to `file` until the last copy of
  /// that end is closed. Throws std::system_error.
  UniqueFd pipe_to(std::shared_ptr<LogFile> file, Lines lines);

 private:
  struct Loop;
  void start();

  std::unique_ptr<Loop> loop_;
  std::thread thread_;
};

}  // namespace viaduct::daemon::master
