#include "daemon/bridge/dispatch/slow_log.hpp"

#include <utility>

#include "daemon/bridge/link/worker.hpp"

namespace viaduct::daemon::bridge {

namespace {

// A record is one line.
std::string join_lines(std::string_view text) {
  std::string joined;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) joined.append(joined.empty() ? "" : " | ").append(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return joined;
}

}  // namespace

SlowLog::SlowLog(const log::Log& log, std::string_view app)
    : log_(&log), app_(app), limit_(kRecords, kInterval, 1) {}

void SlowLog::use_app_log(const log::Log& log) {
  if (!own_) log_ = &log;
}

void SlowLog::use(const log::Log& log) {
  own_ = true;
  log_ = &log;
}

bool SlowLog::admit(Clock::time_point now) {
  const auto decision = limit_.admit("", now);
  suppressed_ += decision.suppressed;
  return decision.write;
}

void SlowLog::write(const SlowEntry& entry) {
  const std::string trace = join_lines(entry.trace);
  const std::string worker =
      entry.worker != nullptr ? app_ + "/" + std::to_string(entry.worker->slot) : std::string();
  log_->warning(
      entry.what,
      {{"app", app_},
       {"worker", worker},
       entry.worker != nullptr ? who(*entry.worker) : log::Attribute("pid", 0),
       {"id", request_id_of(entry.params)},
       {"method", entry.params.get("REQUEST_METHOD").value_or("-")},
       {"target", entry.params.get("REQUEST_URI").value_or("-").substr(0, kTarget)},
       {"elapsed_ms", std::chrono::duration_cast<std::chrono::milliseconds>(entry.elapsed).count()},
       {"suppressed", std::exchange(suppressed_, 0)},
       {"trace", entry.worker == nullptr ? "(waiting for a worker)" : std::string_view(trace)}});
}

std::string_view request_id_of(const protocol::Pairs& params) {
  for (const char* const name : {"REQUEST_ID", "HTTP_X_REQUEST_ID"}) {
    const auto id = params.get(name);
    if (id && !id->empty()) return *id;
  }
  return "-";
}

}  // namespace viaduct::daemon::bridge
