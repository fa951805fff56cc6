#include "daemon/config/directory_trust.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

namespace viaduct::daemon::config {
namespace {

constexpr int kMaxLinks = 40;  // as many as the kernel follows

template <class Id>
bool contains(const std::vector<Id>& ids, Id id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

/// One directory after the other against the trusted.
class Judge {
 public:
  Judge(const System& system, const Trusted& trusted) : system_(system), trusted_(trusted) {
    trusted_.users.push_back(system.effective_user());
    trusted_.users.push_back(0);
  }

  // From the directory upwards.
  Replacer judge_all(std::filesystem::path place) const {
    if (!place.has_filename()) place = place.parent_path();
    for (;; place = place.parent_path()) {
      const FileStatus status = system_.status(place);
      if (status.error == 0 && S_ISDIR(status.mode)) {
        Replacer found = judge(place, status);
        if (!found.who.empty()) return found;
      }
      if (!place.has_relative_path()) return {};
    }
  }

 private:
  Replacer judge(const std::string& directory, const FileStatus& status) const {
    if (!contains(trusted_.users, status.uid)) {
      const auto owner = system_.find_user(std::to_string(status.uid));
      const std::string user = "user " + (owner ? owner->name : std::to_string(status.uid));
      return {user, directory + " belongs to " + user};
    }
    if ((status.mode & S_ISVTX) != 0) return {};
    if ((status.mode & S_IWOTH) != 0) {
      return {"everybody", directory + " is writable by all and not sticky"};
    }
    if ((status.mode & S_IWGRP) == 0) return {};
    // The bits of the group are those of everybody whom the list names.
    if (status.has_acl) return {"others", directory + " is writable by others (ACL), not sticky"};
    if (is_trusted_group(status.gid)) return {};
    const std::string group = "group " + system_.group_name(status.gid);
    return {"members of " + group, directory + " is writable by " + group + " and not sticky"};
  }

  bool is_trusted_group(gid_t gid) const {
    if (gid == 0 || contains(trusted_.groups, gid)) return true;
    return std::any_of(trusted_.users.begin(), trusted_.users.end(),
                       [&](uid_t user) { return is_private_group(gid, user); });
  }

  // Which users have it as their primary group cannot be listed: the name says that it is one's
  // own.
  bool is_private_group(gid_t gid, uid_t uid) const {
    const auto user = system_.find_user(std::to_string(uid));
    if (!user || user->gid != gid || user->name != system_.group_name(gid)) return false;
    const auto members = system_.group_members(gid);
    return std::all_of(members.begin(), members.end(), [&](const std::string& member) {
      const auto found = system_.find_user(member);
      return !found || contains(trusted_.users, found->uid);
    });
  }

  const System& system_;
  Trusted trusted_;
};

// The way that the first link in it leads on; "" when there is no link.
std::filesystem::path without_first_link(const System& system, const std::filesystem::path& way) {
  std::filesystem::path begin;
  for (auto name = way.begin(); name != way.end(); ++name) {
    const std::filesystem::path parent = std::exchange(begin, begin / *name);
    const std::string target = system.link_target(begin);
    if (target.empty()) continue;
    std::filesystem::path led = parent / target;
    while (++name != way.end()) led /= *name;
    return led.lexically_normal();
  }
  return {};
}

}  // namespace

Replacer who_can_replace_files(const System& system, const std::string& directory,
                               const Trusted& trusted) {
  auto way = std::filesystem::path(directory).lexically_normal();
  if (!way.is_absolute()) return {};
  const Judge judge(system, trusted);
  for (int links = 0; !way.empty() && links <= kMaxLinks; ++links) {
    Replacer found = judge.judge_all(way);
    if (!found.who.empty()) return found;
    way = without_first_link(system, way);
  }
  return {};
}

std::string runtime_dir_problem(uid_t owner, mode_t mode) {
  if (owner != 0) {
    return "belongs to user " + std::to_string(owner) +
           ", which root must not trust; it has to belong to root";
  }
  if ((mode & (S_IWGRP | S_IWOTH)) != 0 && (mode & S_ISVTX) == 0) {
    return "may be written by other users; take that away, or make it sticky";
  }
  return {};
}

}  // namespace viaduct::daemon::config
