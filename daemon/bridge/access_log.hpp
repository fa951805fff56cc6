#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/bridge/reactor.hpp"
#include "daemon/config/log_settings.hpp"
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
/// Several threads append to one file, each with whole lines. A datagram socket is that of syslog
/// and gets each line by itself.
class AccessLog final : public Flushable {
 public:
  /// `sample`: the share of requests that is logged, 0 to 1.
  AccessLog(Reactor& reactor, config::LogFormat format, double sample);
  ~AccessLog();

  /// Whether write() would do anything.
  [[nodiscard]] bool enabled() const { return descriptor_ >= 0; }
  void write(const AccessEntry& entry);
  /// Lines go there from now on; -1 turns the log off. The descriptor is borrowed.
  void redirect(int descriptor);

  void flush() override;

 private:
  void send_lines();

  Reactor& reactor_;
  config::LogFormat format_;
  double sample_;
  double share_ = 0.0;
  int descriptor_ = -1;
  bool datagrams_ = false;
  std::string lines_;
};

}  // namespace viaduct::daemon::bridge
