#include "daemon/master/crash_desk.hpp"

#include <sys/wait.h>

#include <exception>
#include <utility>
#include <variant>

#include "daemon/config/text_file.hpp"
#include "daemon/master/exit_text.hpp"
#include "daemon/master/log_set.hpp"

namespace viaduct::daemon::master {

namespace {

// Bytes of one value in the log's record.
constexpr std::size_t kRequestsLogged = 4 * 1024;
constexpr std::size_t kTraceLogged = 16 * 1024;
constexpr std::size_t kOutputLogged = 2 * 1024;

std::string core_pattern() {
  auto content = config::read_text_file("/proc/sys/kernel/core_pattern");
  const auto* const text = std::get_if<std::string>(&content);
  return text != nullptr ? text->substr(0, text->find('\n')) : "?";
}

void write_record(const CrashReport& report, const std::string& path, const log::Log& log) {
  const int status = report.status;
  log.error("worker crashed",
            {{"app", report.app},
             {"worker", report.worker},
             {"pid", report.pid},
             {"signal", WIFSIGNALED(status) ? signal_name(WTERMSIG(status)) : std::string("none")},
             {"exit_status", WIFEXITED(status) ? WEXITSTATUS(status) : 0},
             {"uptime_ms", report.uptime.count()},
             {"core_dumped", WIFSIGNALED(status) && WCOREDUMP(status)},
             {"core_limit", report.core_limit},
             {"core_pattern", report.core_pattern},
             {"requests_lost", report.requests.total},
             {"requests", join(report.requests.lines, kRequestsLogged)},
             {"trace", join(report.notes, kTraceLogged)},
             {"last_output", join(report.written, kOutputLogged)},
             {"crash_report", path}});
}

}  // namespace

void CrashDesk::open(std::uint64_t serial, CrashReport report, const std::string& directory,
                     unsigned bridges) {
  Case& opened = cases_.try_emplace(serial, io_).first->second;
  opened.report = std::move(report);
  opened.directory = directory;
  opened.missing = bridges;
  if (bridges == 0) return finish(serial);
  opened.timer.expires_after(patience_);
  opened.timer.async_wait([this, serial](const boost::system::error_code& error) {
    if (!error) finish(serial);
  });
}

void CrashDesk::requests_lost(std::uint64_t serial, channel::LostRequests requests) {
  const auto found = cases_.find(serial);
  if (found == cases_.end()) return;
  found->second.report.requests.add(std::move(requests));
  if (--found->second.missing == 0) finish(serial);
}

void CrashDesk::close() {
  while (!cases_.empty()) finish(cases_.begin()->first);
}

void CrashDesk::finish(std::uint64_t serial) {
  auto finished = cases_.extract(serial);
  if (!finished) return;
  CrashReport& report = finished.mapped().report;
  report.requests_known = finished.mapped().missing == 0;
  report.core_pattern = core_pattern();
  const log::Log& log = logs_.daemon();
  write_record(report, file(report, finished.mapped().directory), log);
}

std::string CrashDesk::file(const CrashReport& report, const std::string& directory) {
  if (directory.empty()) return {};
  const auto search = searches_.try_emplace({directory, report.app}).first;
  std::string path;
  try {
    path = CrashDirectory(directory).add(report, search->second);
  } catch (const std::exception& error) {
    logs_.daemon().error("crash report cannot be written",
                         {{"app", report.app}, {"error", error.what()}});
  }
  if (search->second.finished()) searches_.erase(search);
  return path;
}

}  // namespace viaduct::daemon::master
