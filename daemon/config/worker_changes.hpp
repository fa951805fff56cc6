// Whether a reload has to replace the workers of an app.
#pragma once

#include <string_view>
#include <vector>

#include "daemon/config/app_settings.hpp"

namespace viaduct::daemon::config {

// The parts of an app that a running worker cannot take over, because it got them when it was
// started, and that differ between two generations:
//
//   command      the arguments, or the file that command[0] names
//   binary       device, inode, size or modification time of that file
//   directory
//   env          the variables that `env` and the content of all `env_file`s add up to; moving one
//                from the one to the other, or reordering them, changes nothing
//   clear_env
//   user         user, group, groups, and what the user database says of them
//   umask
//   isolation    all but `optional`
//   concurrency  the worker is told model and limit
//   probe        how it was found ready, and what the bridge knows of it
//   stop_signal  a worker is stopped by the signal it was started under
//   send_file    the worker is told
//
// Everything else is applied to workers that keep running: `workers` scales, timeouts, limits,
// buffers, retry, params are the bridge's, log, slow_log and crash_dir the master's, allow_root
// only decides whether the configuration is valid.
//
// Empty: the app is unchanged and keeps its workers. The names are literals, in the order above;
// "restarted (env, umask changed)".
std::vector<std::string_view> worker_changes(const AppSettings& before, const AppSettings& after);

}  // namespace viaduct::daemon::config
