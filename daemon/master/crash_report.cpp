#include "daemon/master/crash_report.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "daemon/channel/crash.hpp"
#include "daemon/log/escape.hpp"
#include "daemon/master/exit_text.hpp"
#include "protocol/crash_mark.hpp"

namespace viaduct::daemon::master {

namespace {

constexpr std::string_view kDatePattern = "dddddddd-dddddd-";  // d: a digit
constexpr std::string_view kSuffix = ".txt";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string utc(std::chrono::system_clock::time_point time, const char* format) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

std::string core_text(const CrashReport& report) {
  const std::string limit = report.core_limit == UINT64_MAX
                                ? "no limit"
                                : "limit " + std::to_string(report.core_limit) + " bytes";
  const bool dumped = WIFSIGNALED(report.status) && WCOREDUMP(report.status);
  return (dumped ? "dumped, pattern " : "none, pattern ") + log::escape(report.core_pattern) +
         ", " + limit;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\n");
}

void append_section(std::string& out, std::string_view title,
                    const std::vector<std::string>& lines) {
  out.append("\n").append(title).append("\n");
  if (lines.empty()) out += "  (none)\n";
  for (const std::string& line : lines) out.append("  ").append(log::escape(line)).append("\n");
}

}  // namespace

bool is_crash(int status, bool was_ready, bool told_to_end) {
  if (channel::killed_by_error(status)) return true;
  return channel::crashed(status) && was_ready && !told_to_end;
}

bool CrashNotes::take(std::string_view line) {
  if (!line.starts_with(protocol::kCrashMark) || lines_.size() == kMax) return false;
  lines_.emplace_back(line.substr(protocol::kCrashMark.size(), kMaxLine));
  return true;
}

std::string to_text(const CrashReport& report) {
  std::string out = report.worker + " " + exit_text(report.status) + "\n\n";
  append_field(out, "time", utc(report.time, "%Y-%m-%dT%H:%M:%SZ"));
  append_field(out, "pid", std::to_string(report.pid));
  append_field(out, "uptime", std::to_string(report.uptime.count()) + " ms");
  append_field(out, "core file", core_text(report));
  append_section(out, "What the worker says of it", report.notes);
  append_section(out, "Requests that it had: " + std::to_string(report.requests.total),
                 report.requests.lines);
  const std::uint64_t left_out = report.requests.total - report.requests.lines.size();
  if (left_out > 0) out += "  and " + std::to_string(left_out) + " more\n";
  if (!report.requests_known) out += "  (a bridge did not say which)\n";
  append_section(out, "Last lines on its standard error", report.written);
  return out;
}

std::string join(const std::vector<std::string>& texts, std::size_t limit) {
  std::string joined;
  for (const std::string& text : texts) {
    if (joined.size() + text.size() + 3 > limit)
      return joined + (joined.empty() ? "..." : " | ...");
    joined.append(joined.empty() ? "" : " | ").append(text);
  }
  return joined;
}

std::string crash_file_name(const CrashReport& report) {
  return report.app + "-" + utc(report.time, "%Y%m%d-%H%M%S") + "-" + std::to_string(report.pid) +
         std::string(kSuffix);
}

bool is_crash_file(std::string_view app, std::string_view name) {
  if (!name.starts_with(app) || !name.ends_with(kSuffix)) return false;
  name.remove_prefix(app.size());
  if (!name.starts_with('-') || name.size() <= 1 + kDatePattern.size() + kSuffix.size()) {
    return false;
  }
  name.remove_prefix(1);
  const bool dated =
      std::equal(kDatePattern.begin(), kDatePattern.end(), name.begin(),
                 [](char wanted, char c) { return wanted == 'd' ? is_digit(c) : c == wanted; });
  const auto pid =
      name.substr(kDatePattern.size(), name.size() - kDatePattern.size() - kSuffix.size());
  return dated && std::all_of(pid.begin(), pid.end(), is_digit);
}

}  // namespace viaduct::daemon::master
