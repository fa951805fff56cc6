#pragma once

#include <cstdint>
#include <string>

#include "daemon/config/worker_environment.hpp"
#include "daemon/master/process.hpp"

namespace viaduct::daemon::master {

/// How a worker of `app` named `worker` is executed: the listening socket on descriptor 0 as the
/// FastCGI specification says, /dev/null on 1, a pipe on 2. Borrows `app.pinned_file`.
SpawnSpec worker_spec(const config::AppSettings& app, const std::string& worker,
                      std::uint64_t serial, const config::Environment& inherited, int listener,
                      int null, int error_pipe);

/// Why a worker could not be started, in words, for the log:
/// "shop: exec /srv/shop/bin/shop: Permission denied (EACCES): user shop cannot search /srv/shop".
std::string failure_text(const config::AppSettings& app, const SpawnFailure& failure);

/// What a program has to do to become ready, for who started one that does not speak FastCGI.
std::string what_is_expected(const config::AppSettings& app);

}  // namespace viaduct::daemon::master
