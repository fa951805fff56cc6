#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::master {

/// A log file that one thread opens anew while another writes to it: neither waits for the other.
class LogFile {
 public:
  /// For what is no file and does not take lines (a pipe that nobody reads, a terminal that is
  /// stopped), before lines are lost.
  static constexpr int kPatienceMilliseconds = 1000;

  explicit LogFile(UniqueFd file);

  /// Later lines go to `file`. Any thread.
  void replace(UniqueFd file);

  /// Whole lines, which nothing comes between. Waits as a file does, but for anything else no
  /// longer than kPatienceMilliseconds, and not again until it has taken something. What is not
  /// taken (a full disk) is lost. One thread.
  void write(std::string_view lines);

  /// Lines lost since the last call. Any thread.
  std::uint64_t take_lost();

 private:
  struct Open;
  std::shared_ptr<Open> open() const;

  mutable std::mutex mutex_;
  std::shared_ptr<Open> open_;
  std::uint64_t lost_ = 0;
};

}  // namespace viaduct::daemon::master
