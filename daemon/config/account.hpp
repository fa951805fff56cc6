// Users and groups that processes run as.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace viaduct::daemon::config {

// A user with the group and supplementary groups that a process runs with.
struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary, sorted, without duplicates
  std::string name;           // of the user; its number when it has no name
  std::string home;
  std::string shell;

  bool operator==(const Account&) const = default;
};

// `user`, `group`, `groups` as written; empty or absent when not. `account` is the outcome:
// group and groups default to those of the user, the user to the one viaductd runs as.
struct Identity {
  std::string user;
  std::string group;
  std::optional<std::vector<std::string>> groups;  // an empty list means no supplementary groups
  Account account;

  bool operator==(const Identity&) const = default;
};

}  // namespace viaduct::daemon::config
