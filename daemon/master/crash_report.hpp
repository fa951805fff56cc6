#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/channel/lost_requests.hpp"

namespace viaduct::daemon::master {

/// What is known of a worker that crashed. All texts are as they came, from the worker and from
/// clients.
struct CrashReport {
  std::string app;
  std::string worker;  ///< "shop/1"
  pid_t pid = -1;
  int status = 0;  ///< of waitpid
  std::chrono::system_clock::time_point time;
  std::chrono::milliseconds uptime{0};
  std::uint64_t core_limit = 0;  ///< bytes; UINT64_MAX: none
  std::string core_pattern;
  channel::LostRequests requests;    ///< that it had
  bool requests_known = true;        ///< every bridge has said what it had
  std::vector<std::string> notes;    ///< what it said itself: signal, request, stack
  std::vector<std::string> written;  ///< its last lines on standard error besides
};

/// Whether a worker that ended with that status of waitpid has crashed. A status other than 0 is a
/// crash only of a worker that was ready and was not told to end.
bool is_crash(int status, bool was_ready, bool told_to_end);

/// The lines that a worker writes to say why it crashes (protocol::kCrashMark), kept apart.
class CrashNotes {
 public:
  static constexpr std::size_t kMax = 192;       ///< lines
  static constexpr std::size_t kMaxLine = 1024;  ///< bytes of one

  /// Whether it is such a line, which is kept without the mark. Not beyond kMax of them.
  bool take(std::string_view line);
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
};

/// The report as a file for people: nothing in it can be taken for another line, or for a command
/// to a terminal.
std::string to_text(const CrashReport& report);

/// Texts as one value of a log record: joined by " | ", as many as go into `limit` bytes.
std::string join(const std::vector<std::string>& texts, std::size_t limit);

/// "SHOP-20260301-120000-812.txt", the time in UTC: names of an app sort by it.
std::string crash_file_name(const CrashReport& report);

/// Whether that is the name of a report of the app, and of no other.
bool is_crash_file(std::string_view app, std::string_view name);

}  // namespace viaduct::daemon::master
