#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/bridge/reactor.hpp"
#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/log_settings.hpp"
#include "daemon/log/line_output.hpp"
#include "daemon/log/log.hpp"
#include "protocol/pairs.hpp"

namespace viaduct::daemon::bridge {

/// One request, as it is logged when its response has ended.
struct AccessEntry {
  std::string_view app;
  const protocol::Pairs& params;
  int status = 0;  ///< 0: the client left before there was one
  std::uint64_t body_bytes = 0;
  std::chrono::nanoseconds duration{};
  unsigned attempts = 0;  ///< workers that have had it
};

/// `line` without its final newline, in either format:
///
///   text   combined log format, then the app and the seconds taken
///   json   {"time":...,"app":...,"remote_addr":...,"method":...,"uri":...,"status":...,...}
std::string format_access(const AccessEntry& entry, config::LogFormat format,
                          std::chrono::system_clock::time_point time);

/// The access log of one thread: lines are collected and written at the end of the loop's turn.
/// Lines that the pipe to the master does not take wait, up to kMostWaiting; those beyond that are
/// lost, which the log says. A datagram socket is that of syslog and gets each line by itself. What
/// goes to syslog or the journal is escaped here (log::escape_json_controls()), what goes into
/// files by the master.
class AccessLog final : public Flushable {
 public:
  static constexpr std::size_t kMostWaiting = 256 * 1024;
  /// How often lost lines are reported, at most.
  static constexpr std::chrono::seconds kReports{10};

  /// `sample`: the share of requests that is logged, 0 to 1. `log` is borrowed.
  AccessLog(Reactor& reactor, const log::Log& log, config::LogFormat format, double sample);
  /// Gives what waits a second to be taken.
  ~AccessLog();

  /// Whether write() would do anything.
  [[nodiscard]] bool enabled() const { return output_ || datagrams_; }
  void write(const AccessEntry& entry);
  /// Where lines go from now on: a pipe, a stream of the journal, or a datagram socket. Once.
  void write_to(UniqueFd descriptor);

  void flush() override;
  /// To be called at times. Whether something waits, and so it is to be called again soon.
  [[nodiscard]] bool tick();

 private:
  void send_lines();
  void report_lost();

  Reactor& reactor_;
  const log::Log& log_;
  config::LogFormat format_;
  double sample_;
  double share_ = 0.0;
  std::unique_ptr<log::LineOutput> output_;
  UniqueFd datagrams_;
  bool to_socket_ = false;  // of the journal or syslog: the master does not see the lines
  std::string lines_;
  std::uint64_t lost_ = 0;
  Clock::time_point report_at_{};
};

}  // namespace viaduct::daemon::bridge
