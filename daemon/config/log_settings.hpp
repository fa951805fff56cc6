// Where the daemon, its access log and its apps log, and how.
#pragma once

#include <string>

namespace viaduct::daemon::config {

enum class LogLevel { debug, info, warn, error };
enum class LogFormat { text, json };

// Where log lines go. `off` only for access_log.to, `inherit` (the daemon's log) only for apps.
struct LogTarget {
  enum class Kind { off, inherit, standard_error, journal, syslog, file };

  Kind kind = Kind::standard_error;
  std::string path;  // file only; absolute

  bool operator==(const LogTarget&) const = default;
};

struct LogSettings {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  LogTarget to;

  bool operator==(const LogSettings&) const = default;
};

struct AccessLogSettings {
  LogTarget to{LogTarget::Kind::off, {}};
  LogFormat format = LogFormat::json;
  double sample = 1.0;  // 0 to 1: the share of requests that are logged

  bool operator==(const AccessLogSettings&) const = default;
};

}  // namespace viaduct::daemon::config
