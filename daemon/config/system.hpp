// What the configuration asks the operating system: a thin seam, so that the rules for root can be
// tested by anybody. Every call only looks; nothing is changed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "daemon/config/app_settings.hpp"
#include "daemon/config/isolation_probe.hpp"
#include "daemon/config/sandbox_probe.hpp"
#include "daemon/config/text_file.hpp"

namespace viaduct::daemon::config {

struct FileStatus {
  int error = 0;  // errno of stat(); the rest is only set when it is 0
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  bool has_acl = false;  // an access control list says more than the mode bits
  CommandFile identity;
};

// A program as it is found at a path.
struct Program {
  std::optional<CommandFile> identity;  // absent: there is no such file
  PinnedFile pin;                       // of just that file, where it can be pinned
};

class System {
 public:
  virtual ~System() = default;

  virtual uid_t effective_user() const = 0;
  virtual Account own_account() const = 0;  // of this process: effective ids and current groups
  // By name or number, with the groups the user database gives it. Absent: no such user.
  virtual std::optional<Account> find_user(const std::string& name) const = 0;
  // As config::other_process_of().
  virtual std::optional<std::string> other_process_of(uid_t user) const = 0;
  virtual std::optional<gid_t> find_group(const std::string& name) const = 0;
  virtual FileStatus status(const std::string& path) const = 0;        // follows symbolic links
  virtual std::string link_target(const std::string& path) const = 0;  // "": no symbolic link
  virtual bool in_memory(const std::string& path) const = 0;           // on tmpfs or ramfs
  // The same as status() for a process whose root directory is `root`, symbolic links included.
  virtual FileStatus status_in(const std::string& root, const std::string& path) const = 0;
  // The file at a path for a process whose root directory is `root` ("": that of this one). Only
  // ELF files that can be read are pinned: the interpreter of a script needs a path to read it
  // from. So that descriptors do not run out, nothing is pinned while more than half of them are in
  // use.
  virtual Program program(const std::string& root, const std::string& path) const = 0;
  // Its name, or its number when it has none.
  virtual std::string group_name(gid_t group) const = 0;
  // Names of the users whom the group database lists as members; those whose primary group it is
  // are not among them.
  virtual std::vector<std::string> group_members(gid_t group) const = 0;
  // The errno of channel::open_place(): EPERM where a link of another user leads there. 0: none.
  virtual int place_error(const std::string& directory) const = 0;
  // config::only_root_can_change() and read_text_file_as().
  virtual bool only_root_can_change(const std::string& path) const = 0;
  virtual std::variant<std::string, ReadFailure> read_as(const Account& user,
                                                         const std::string& path) const = 0;
  virtual const IsolationProbe& isolation() const = 0;
  virtual SandboxProbe sandbox() const = 0;
  virtual std::optional<std::string> environment(const std::string& name) const = 0;
  virtual std::uint32_t cpus_allowed() const = 0;  // at least 1
  virtual std::optional<std::uint32_t> somaxconn() const = 0;
  virtual std::uint64_t most_descriptors() const = 0;  // the hard limit (RLIMIT_NOFILE)
};

// The machine this process runs on. Stateless; lives as long as the program.
const System& real_system();

}  // namespace viaduct::daemon::config
