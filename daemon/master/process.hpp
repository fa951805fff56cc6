#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/account.hpp"
#include "daemon/master/confinement.hpp"
#include "daemon/master/spawn_stage.hpp"

/// The system calls that make and end processes, and nothing else: what is decided about them is
/// decided above, where it can be tested without processes.
namespace viaduct::daemon::master {

/// `pinned_file`, a descriptor of a file, is executed when `executable` names another one by then,
/// or none. While it names the same, it is executed by that path, so that the process has the name
/// of the program (by descriptor, kernels name it by number) and all permissions of the path count.
struct SpawnSpec {
  std::string executable;                ///< path; "/proc/self/exe" is this program
  int pinned_file = -1;                  ///< borrowed; -1: none
  std::vector<std::string> arguments;    ///< argv, argv[0] included
  std::vector<std::string> environment;  ///< NAME=value, all of it
  std::vector<int> descriptors;  ///< index: the number in the child; everything else is closed
  std::optional<config::Account> account;  ///< absent: stay who we are
  std::string directory;                   ///< "": stay where we are
  mode_t umask = 0022;
  bool no_new_privileges = true;
  bool own_session = true;       ///< leads a new session and process group
  bool dies_with_parent = true;  ///< PR_SET_PDEATHSIG
  Confinement confinement;
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
/// group is killed, if `ours` says that it was spawned here: a process that was adopted may lead a
/// group of others that are to live on.
std::optional<Exit> reap(const std::function<bool(pid_t)>& ours);

/// Sends a signal to a process group; one that is gone already is no error.
void signal_group(pid_t leader, int signal);

}  // namespace viaduct::daemon::master
