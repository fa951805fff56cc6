// Every key of the configuration, as tables (schema.hpp).
#pragma once

#include "daemon/config/schema.hpp"
#include "daemon/config/settings.hpp"

namespace viaduct::daemon::config {

// Of the main file. `defaults`, `listeners` and `apps` are known here but read by load(), which
// merges them from several files.
Keys<Settings> settings_keys();

// Of an included file: `listeners` and `apps`; the others are refused with the reason.
Keys<Settings> included_keys();

Keys<ListenerSettings> listener_keys();

// One of them, with keys of its own.
Key<ListenerSettings> routes_key();

// Of one app, and of `defaults`.
Keys<AppSettings> app_keys();

// One of them, with keys of its own.
Key<AppSettings> canary_key();

// Some of them: `connect`, and how its servers are spoken to.
Keys<AppSettings> connect_keys();

// A program and its arguments.
ValueType<std::vector<std::string>> command_line();

// What is wrong with the name of an app, or "".
std::string app_name_problem(std::string_view name);

// What is wrong with the name of an environment variable, or "".
std::string env_name_problem(std::string_view name);

}  // namespace viaduct::daemon::config
