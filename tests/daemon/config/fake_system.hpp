// A machine that exists only in a test: its users, groups, files and limits.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <set>

#include "daemon/config/system.hpp"

namespace viaduct::daemon::config {

// What every step answers, and what there is; everything is allowed at first.
struct FakeProbe : public IsolationProbe {
  int change_root(const std::string&) const override { return errors.at("chroot"); }
  int set_nice(int) const override { return errors.at("nice"); }
  int mount() const override { return errors.at("mount"); }
  int drop_capabilities() const override { return errors.at("capabilities"); }
  bool has_no_new_privileges() const override { return no_new_privileges; }
  bool holds_capability(int number) const override { return !lacking.contains(number); }
  int limit_files(std::uint64_t) const override { return errors.at("nofile"); }
  int limit_core(std::uint64_t) const override { return errors.at("core"); }
  int use_cpu(std::uint32_t number) const override {
    return number < 4 ? errors.at("cpus") : EINVAL;
  }
  CgroupPlace cgroup() const override { return place; }

  std::map<std::string, int> errors = {{"chroot", 0}, {"nice", 0},         {"cpus", 0},
                                       {"mount", 0},  {"capabilities", 0}, {"nofile", 0},
                                       {"core", 0}};
  std::set<int> lacking;
  bool no_new_privileges = false;
  CgroupPlace place{"/sys/fs/cgroup/viaduct", {"cpu", "memory", "pids"}, ""};
};

class FakeSystem : public System {
 public:
  // Root on a machine with the users root, viaduct, nobody, shop, blog and www-data, with
  // the directories that such a machine has (searchable by all) and /srv/shop/bin/shop.
  FakeSystem() {
    add_user("root", 0);
    add_user("viaduct", 101);
    add_user("nobody", 65534);
    add_user("shop", 1001, {33, 1001});
    add_user("blog", 1002);
    add_user("www-data", 33);
    groups["adm"] = 4;
    for (const char* path :
         {"/", "/srv", "/srv/shop", "/srv/shop/bin", "/usr", "/usr/bin", "/run", "/run/user/1",
          "/run/viaduct", "/var", "/var/log", "/var/log/viaduct", "/var/lib/viaduct"})
      add_file(path, S_IFDIR | 0755);
    add_file("/srv/shop/bin/shop", S_IFREG | 0755);
    environment_["PATH"] = "/usr/local/bin:/usr/bin";
  }

  void add_user(const std::string& name, uid_t id, std::vector<gid_t> supplementary = {}) {
    if (supplementary.empty()) supplementary = {id};
    users[name] = Account{id, id, supplementary, name, "/home/" + name, "/bin/sh"};
    groups[name] = id;
  }

  void add_file(const std::string& path, mode_t mode, uid_t uid = 0, gid_t gid = 0) {
    FileStatus status;
    status.mode = mode;
    status.uid = uid;
    status.gid = gid;
    status.identity = {1, files.size() + 1, 1000, 5'000'000'000};
    files[path] = status;
  }

  uid_t effective_user() const override { return users.at(own).uid; }
  Account own_account() const override { return users.at(own); }
  std::optional<Account> find_user(const std::string& name) const override {
    for (const auto& [known, user] : users) {
      if (known == name || std::to_string(user.uid) == name) return user;
    }
    return std::nullopt;
  }
  std::optional<std::string> other_process_of(uid_t user) const override {
    const auto found = processes.find(user);
    return found == processes.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<gid_t> find_group(const std::string& name) const override {
    const auto found = groups.find(name);
    return found == groups.end() ? std::nullopt : std::optional(found->second);
  }
  FileStatus status(const std::string& path) const override {
    const auto found = files.find(path);
    if (found != files.end()) return found->second;
    FileStatus other;
    // Where the tests keep their files: searchable directories throughout.
    if (path.starts_with(std::filesystem::temp_directory_path().string()))
      other.mode = S_IFDIR | 0755;
    else
      other.error = ENOENT;
    return other;
  }
  bool in_memory(const std::string& path) const override { return memory.contains(path); }
  FileStatus status_in(const std::string& root, const std::string& path) const override {
    return status(path == "/" ? root : root + path);
  }
  bool only_root_can_change(const std::string& path) const override {
    return files_of_root.contains(path);
  }
  std::string group_name(gid_t group) const override {
    for (const auto& [name, number] : groups) {
      if (number == group) return name;
    }
    return std::to_string(group);
  }
  std::vector<std::string> group_members(gid_t group) const override {
    const auto found = members.find(group);
    return found == members.end() ? std::vector<std::string>() : found->second;
  }
  std::string link_target(const std::string& path) const override {
    const auto found = links.find(path);
    return found == links.end() ? "" : found->second;
  }
  int place_error(const std::string& directory) const override {
    return links_of_others.contains(directory) ? EPERM : status(directory).error;
  }
  std::variant<std::string, ReadFailure> read_as(const Account& user,
                                                 const std::string& path) const override {
    readers[path] = user.name;
    if (unreadable.contains(path)) return ReadFailure{EACCES};
    return read_text_file(path);
  }
  const IsolationProbe& isolation() const override { return probe; }
  SandboxProbe sandbox() const override { return sandbox_probe; }
  Program program(const std::string& root, const std::string& path) const override {
    const FileStatus found = root.empty() ? status(path) : status_in(root, path);
    if (found.error != 0) return {};
    return {found.identity, pinned};
  }
  std::optional<std::string> environment(const std::string& name) const override {
    const auto found = environment_.find(name);
    return found == environment_.end() ? std::nullopt : std::optional(found->second);
  }
  std::uint32_t cpus_allowed() const override { return cpus; }
  std::optional<std::uint32_t> somaxconn() const override { return backlog_limit; }
  std::uint64_t most_descriptors() const override { return descriptor_limit; }

  std::string own = "root";  // who the daemon runs as
  std::map<std::string, Account> users;
  std::map<std::string, gid_t> groups;
  std::map<uid_t, std::string> processes;  // one for each user that has some
  std::map<std::string, FileStatus> files;
  std::set<std::string> files_of_root;                 // that nobody else can change
  std::map<gid_t, std::vector<std::string>> members;   // that the group database lists
  std::map<std::string, std::string> links;            // symbolic links, by their path
  std::set<std::string> links_of_others;               // directories that a link of others leads to
  std::set<std::string> unreadable;                    // for read_as()
  mutable std::map<std::string, std::string> readers;  // as whom read_as() read a file
  std::map<std::string, std::string> environment_;
  std::set<std::string> memory;  // directories on tmpfs
  PinnedFile pinned;             // of every program
  FakeProbe probe;
  SandboxProbe sandbox_probe;
  std::uint32_t cpus = 4;
  std::optional<std::uint32_t> backlog_limit = 4096;
  std::uint64_t descriptor_limit = 524288;
};

}  // namespace viaduct::daemon::config
