#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/master/crash_report.hpp"
#include "daemon/master/line_splitter.hpp"

namespace viaduct::daemon::master {

/// Between the standard error of a child and who reads it; both ends close at exec.
struct OutputPipe {
  UniqueFd reader;  ///< non-blocking
  UniqueFd writer;
};

/// Throws std::system_error.
OutputPipe make_output_pipe();

/// Reads the standard error of one child line by line. Bytes worth kBytesPerTurn are taken per
/// kTurn, a line being worth kLeastPerLine at least, so that one that floods it waits for its own
/// pipe and nobody else does.
class OutputReader : public std::enable_shared_from_this<OutputReader> {
 public:
  static constexpr std::size_t kBytesPerTurn = 64 * 1024;
  static constexpr std::chrono::milliseconds kTurn{100};
  static constexpr std::size_t kLeastPerLine = 64;
  static constexpr std::size_t kRemembered = 32;

  using Sink = std::function<void(std::string_view line)>;

  /// `pipe` is the reading end, non-blocking. `sink` is called from the event loop and finish().
  OutputReader(boost::asio::io_context& io, UniqueFd pipe, Sink sink);

  void start();

  /// The writer has ended: reads what the pipe still holds, then closes it.
  void finish();

  /// The last lines, at most kRemembered, the first 256 bytes of each.
  const std::deque<std::string>& last_lines() const { return last_; }

  /// What it wrote to say why it crashes: these lines go neither to `sink` nor to last_lines().
  const CrashNotes& crash_notes() const { return notes_; }

 private:
  void wait_readable();
  void read_turn();
  bool read_some(std::size_t& worth);
  void take(std::string_view bytes);
  void line(std::string_view text);

  boost::asio::posix::stream_descriptor pipe_;
  boost::asio::steady_timer pause_;
  std::chrono::steady_clock::time_point turn_began_{};
  std::size_t worth_ = 0;  // read in this turn
  LineSplitter splitter_;
  std::deque<std::string> last_;
  CrashNotes notes_;
  Sink sink_;
};

}  // namespace viaduct::daemon::master
