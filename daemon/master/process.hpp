#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/settings.hpp"

/// The system calls that make and end processes, and nothing else: what is decided about them is
/// decided above, where it can be tested without processes.
namespace viaduct::daemon::master {

/// What a child does between fork and exec, in this order. A failure is reported with its stage.
enum class SpawnStage : std::int32_t {
  session,      ///< setsid
  descriptors,  ///< dup2, close_range
  groups,       ///< setgroups
  group,        ///< setresgid
  user,         ///< setresuid
  privileges,   ///< PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG
  directory,    ///< chdir, as that user
  exec,         ///< execve
};
std::string_view to_string(SpawnStage stage);

struct SpawnSpec {
  std::string executable;                ///< path; "/proc/self/exe" is this program
  std::vector<std::string> arguments;    ///< argv, argv[0] included
  std::vector<std::string> environment;  ///< NAME=value, all of it
  std::vector<int> descriptors;  ///< index: the number in the child; everything else is closed
  std::optional<config::Account> account;  ///< absent: stay who we are
  std::string directory;                   ///< "": stay where we are
  mode_t umask = 0022;
  bool no_new_privileges = true;
  bool own_session = true;       ///< leads a new session and process group
  bool dies_with_parent = true;  ///< PR_SET_PDEATHSIG
};

struct SpawnFailure {
  SpawnStage stage = SpawnStage::exec;
  std::int32_t error = 0;  ///< errno
};

struct Spawned {
  pid_t pid = -1;
  /// Close-on-exec pipe, non-blocking: end of file says that exec succeeded, bytes are a
  /// SpawnFailure (read_failure), after which the child exits with status 127.
  UniqueFd report;
};

/// Forks and executes. The child has all signals unblocked and at their default. Throws
/// std::system_error when there can be no child at all (EAGAIN, ENOMEM, EMFILE).
Spawned spawn(SpawnSpec spec);

/// Decodes what was read from `Spawned::report`; nothing when it is no complete report.
std::optional<SpawnFailure> read_failure(std::span<const std::byte> bytes);

/// A child that ended.
struct Exit {
  pid_t pid = -1;
  int status = 0;  ///< of waitpid
};
/// The next ended child, without waiting; nothing when there is none. What is left of its process
/// group is killed.
std::optional<Exit> reap();

/// Sends a signal to a process group; one that is gone already is no error.
void signal_group(pid_t leader, int signal);

}  // namespace viaduct::daemon::master
