// Directories, and who can put something else in the place of a file in one.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "daemon/config/system.hpp"

namespace viaduct::daemon::config {

// Users and groups that gain nothing by it. Root and the user of this process always belong to
// them.
struct Trusted {
  std::vector<uid_t> users{};
  std::vector<gid_t> groups{};
};

struct Replacer {
  std::string who;  // "everybody", "user shop", "members of group adm"; "": nobody but the trusted
  std::string why;  // "/srv/shop belongs to user shop"
};

// Finds who else can put another file in the place of one in `directory`, or another directory in
// the place of it or one above it: the user whom one of them belongs to, and whoever may write to
// it where it is not sticky. Of a symbolic link, the directories above both its ends count. Nearest
// first; one answer. A group is trusted whose only member is
// trusted (a user private group: of the name of the user, whose primary group it is, and nobody
// else's), and root's. What is not there, or relative, is nobody's.
Replacer who_can_replace_files(const System& system, const std::string& directory,
                               const Trusted& trusted);

// Why root must not keep its sockets in a directory with that owner and mode: "belongs to user 7,
// ..."; "" where nothing speaks against it.
std::string runtime_dir_problem(uid_t owner, mode_t mode);

}  // namespace viaduct::daemon::config
