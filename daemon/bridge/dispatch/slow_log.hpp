#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/bridge/reactor.hpp"
#include "daemon/log/log.hpp"
#include "daemon/log/rate_limit.hpp"
#include "protocol/pairs.hpp"

namespace viaduct::daemon::bridge {

struct WorkerInfo;

/// A request that takes long, as it is logged.
struct SlowEntry {
  std::string_view what;     ///< the record's message
  const WorkerInfo* worker;  ///< null: it waits for one
  const protocol::Pairs& params;
  Clock::duration elapsed{};
  std::string_view trace;  ///< what its handler is doing, in lines; empty: not known
};

/// The slow log of one app on one thread: one record per request, at a limited rate.
class SlowLog {
 public:
  /// Records per kInterval.
  static constexpr std::uint32_t kRecords = 20;
  static constexpr std::chrono::seconds kInterval{10};
  /// Bytes of a request's target that are written.
  static constexpr std::size_t kTarget = 2048;

  /// Goes to `log` until it is given another one; all are borrowed.
  SlowLog(const log::Log& log, std::string_view app);

  /// The log of the app itself, for want of one of its own.
  void use_app_log(const log::Log& log);
  void use(const log::Log& log);

  /// Whether there may be a record now. To be asked before anything is done for it.
  [[nodiscard]] bool admit(Clock::time_point now);
  void write(const SlowEntry& entry);

 private:
  const log::Log* log_;
  const std::string app_;
  bool own_ = false;
  log::RateLimit limit_;
  std::uint64_t suppressed_ = 0;  // since the last record
};

/// The id that a front server gave to a request: REQUEST_ID, or the header X-Request-Id; "-"
/// without.
[[nodiscard]] std::string_view request_id_of(const protocol::Pairs& params);

}  // namespace viaduct::daemon::bridge
