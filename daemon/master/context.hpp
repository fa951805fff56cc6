#pragma once

#include <sys/resource.h>

#include <optional>
#include <random>

#include <boost/asio/io_context.hpp>

#include "daemon/channel/background_closer.hpp"
#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/worker_environment.hpp"

namespace viaduct::daemon::master {

class CgroupTree;
class Children;
class LogCopier;
class LogSet;
class Remains;
class RuntimeDirectory;

/// What everything in the master uses. Borrowed; outlives its users. Single-threaded.
struct Context {
  boost::asio::io_context& io;
  LogSet& logs;
  LogCopier& copier;
  Children& children;
  RuntimeDirectory& runtime;
  CgroupTree& cgroups;
  Remains& remains;
  config::Environment environment;  ///< the daemon's own
  int null = -1;                    ///< /dev/null, for reading and writing
  /// The soft limit of descriptors of programs that are no bridge; absent: that of the master.
  std::optional<rlim_t> soft_files{};
  std::uint64_t next_serial = 1;
  std::mt19937 random{std::random_device{}()};
  channel::BackgroundCloser closer{};
};

}  // namespace viaduct::daemon::master
