// The syntax of systemd's EnvironmentFile= (systemd.exec(5)).
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "daemon/config/app_settings.hpp"

namespace viaduct::daemon::config {

struct EnvFileProblem {
  int line = 0;         // from 1
  std::string message;  // never repeats what the file holds
};

// NAME=VALUE lines in order, a name as often as it occurs. Lines that begin with # or ; are
// comments. Values may be quoted: inside '...' everything stands for itself, inside "..." a
// backslash escapes " \ ` $ and joins lines, both may span lines. Unquoted a backslash escapes any
// character and joins lines, and blanks at the end are dropped. Unlike systemd, which skips them,
// lines without '=', impossible names and quotes that are not closed are problems.
std::variant<NamedValues, EnvFileProblem> parse_env_file(std::string_view text);

}  // namespace viaduct::daemon::config
