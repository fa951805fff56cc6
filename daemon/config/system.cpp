#include "daemon/config/system.hpp"

#include <elf.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <pwd.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>

#include "daemon/channel/place_of_file.hpp"
#include "daemon/config/file_trust.hpp"
#include "daemon/config/scalars.hpp"
#include "daemon/config/user_processes.hpp"

namespace viaduct::daemon::config {
namespace {

constexpr std::size_t kMaxRecordBytes = 1 << 20;  // of one user or group, members included

// Calls a get...ent_r function with a buffer that grows until the record fits.
template <class Record, class Lookup>
bool look_up(std::vector<char>& buffer, Record& record, Lookup lookup) {
  for (buffer.resize(1024); buffer.size() <= kMaxRecordBytes; buffer.resize(buffer.size() * 2)) {
    Record* found = nullptr;
    const int error = lookup(&record, buffer.data(), buffer.size(), &found);
    if (error == ERANGE || error == EINTR) continue;
    return found != nullptr;
  }
  return false;
}

std::optional<std::uint32_t> as_id(const std::string& name) {
  const auto number = parse_integer(name);
  if (!number || *number >= UINT32_MAX) return std::nullopt;  // (uid_t)-1 means "no change"
  return static_cast<std::uint32_t>(*number);
}

std::vector<gid_t> sorted(std::vector<gid_t> groups) {
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  return groups;
}

std::vector<gid_t> groups_of(const passwd& user) {
  std::vector<gid_t> groups(64);
  int count = static_cast<int>(groups.size());
  while (getgrouplist(user.pw_name, user.pw_gid, groups.data(), &count) < 0) {
    groups.resize(std::max(groups.size() * 2, static_cast<std::size_t>(count)));
    count = static_cast<int>(groups.size());
  }
  groups.resize(static_cast<std::size_t>(count));
  return sorted(std::move(groups));
}

Account to_account(const passwd& user) {
  return {user.pw_uid, user.pw_gid, groups_of(user), user.pw_name, user.pw_dir, user.pw_shell};
}

CommandFile identity_of(const struct stat& file) {
  return {file.st_dev, file.st_ino, static_cast<std::uint64_t>(file.st_size),
          file.st_mtim.tv_sec * 1'000'000'000 + file.st_mtim.tv_nsec};
}

FileStatus status_of(const std::string& path) {
  FileStatus result;
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) {
    result.error = errno;
    return result;
  }
  result.mode = file.st_mode;
  result.uid = file.st_uid;
  result.gid = file.st_gid;
  result.has_acl = getxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0;
  result.identity = identity_of(file);
  return result;
}

bool is_elf(int descriptor) {
  // What O_PATH has opened is read through another descriptor of the same file.
  const std::string same = "/proc/self/fd/" + std::to_string(descriptor);
  const UniqueFd file(open(same.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  char magic[SELFMAG];
  return file && pread(file.get(), magic, SELFMAG, 0) == SELFMAG &&
         std::memcmp(magic, ELFMAG, SELFMAG) == 0;
}

bool descriptors_are_plenty(int descriptor) {
  struct rlimit limit {};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
         static_cast<rlim_t>(descriptor) < limit.rlim_cur / 2;
}

Program program_at(const std::string& path) {
  Program program;
  UniqueFd file(open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat status {};
  const int found = file ? fstat(file.get(), &status) : stat(path.c_str(), &status);
  if (found != 0) return program;
  program.identity = identity_of(status);
  const bool pinned =
      file && S_ISREG(status.st_mode) && descriptors_are_plenty(file.get()) && is_elf(file.get());
  if (pinned) program.pin = std::make_shared<const UniqueFd>(std::move(file));
  return program;
}

// The path here of a file at `path` inside `root`, without symbolic links; absent when there are
// too many. openat2(2) could do it, but RestrictSUIDSGID= of a systemd unit forbids it.
std::optional<std::string> path_outside(const std::string& root, const std::string& path) {
  namespace fs = std::filesystem;
  constexpr int kMaxLinks = 40;  // as the kernel
  const fs::path whole(path);
  std::deque<fs::path> rest(whole.begin(), whole.end());
  fs::path inside;
  for (int links = 0; !rest.empty();) {
    const fs::path name = rest.front();
    rest.pop_front();
    if (name.empty() || name == "." || name == "/") continue;
    if (name == "..") {
      inside = inside.parent_path();
      continue;
    }
    std::error_code no_link;
    const fs::path target = fs::read_symlink(root / inside / name, no_link);
    if (no_link) {
      inside /= name;
      continue;
    }
    if (++links > kMaxLinks) return std::nullopt;
    if (target.is_absolute()) inside.clear();
    rest.insert(rest.begin(), target.begin(), target.end());
  }
  return inside.empty() ? root + "/." : (root / inside).string();
}

class RealSystem : public System {
 public:
  uid_t effective_user() const override { return geteuid(); }

  Account own_account() const override {
    Account account;
    account.uid = geteuid();
    account.name = std::to_string(account.uid);
    if (const auto user = find_user(account.name)) account = *user;
    account.gid = getegid();
    account.groups.resize(static_cast<std::size_t>(std::max(getgroups(0, nullptr), 0)));
    const int count = getgroups(static_cast<int>(account.groups.size()), account.groups.data());
    account.groups.resize(static_cast<std::size_t>(std::max(count, 0)));
    account.groups = sorted(std::move(account.groups));
    return account;
  }

  std::optional<Account> find_user(const std::string& name) const override {
    std::vector<char> buffer;
    passwd user{};
    if (look_up(buffer, user, [&](auto... rest) { return getpwnam_r(name.c_str(), rest...); }))
      return to_account(user);
    const auto uid = as_id(name);
    if (uid && look_up(buffer, user, [&](auto... rest) { return getpwuid_r(*uid, rest...); }))
      return to_account(user);
    return std::nullopt;
  }

  std::optional<std::string> other_process_of(uid_t user) const override {
    return config::other_process_of(user);
  }

  std::optional<gid_t> find_group(const std::string& name) const override {
    std::vector<char> buffer;
    group entry{};
    if (look_up(buffer, entry, [&](auto... rest) { return getgrnam_r(name.c_str(), rest...); }))
      return entry.gr_gid;
    return as_id(name);
  }

  std::string group_name(gid_t gid) const override {
    std::vector<char> buffer;
    group entry{};
    const bool found =
        look_up(buffer, entry, [&](auto... rest) { return getgrgid_r(gid, rest...); });
    return found ? entry.gr_name : std::to_string(gid);
  }

  std::vector<std::string> group_members(gid_t gid) const override {
    std::vector<char> buffer;
    group entry{};
    std::vector<std::string> names;
    if (!look_up(buffer, entry, [&](auto... rest) { return getgrgid_r(gid, rest...); }))
      return names;
    for (char** name = entry.gr_mem; *name != nullptr; ++name) names.emplace_back(*name);
    return names;
  }

  FileStatus status(const std::string& path) const override { return status_of(path); }

  FileStatus status_in(const std::string& root, const std::string& path) const override {
    if (const auto outside = path_outside(root, path)) return status_of(*outside);
    FileStatus failed;
    failed.error = ELOOP;
    return failed;
  }

  Program program(const std::string& root, const std::string& path) const override {
    if (root.empty()) return program_at(path);
    const auto outside = path_outside(root, path);
    return outside ? program_at(*outside) : Program{};
  }

  bool only_root_can_change(const std::string& path) const override {
    return config::only_root_can_change(path);
  }
  std::string link_target(const std::string& path) const override {
    std::error_code no_link;
    return std::filesystem::read_symlink(path, no_link).string();
  }
  int place_error(const std::string& directory) const override {
    return channel::open_place(directory) ? 0 : errno;
  }
  std::variant<std::string, ReadFailure> read_as(const Account& user,
                                                 const std::string& path) const override {
    return read_text_file_as(user, path);
  }

  const IsolationProbe& isolation() const override { return real_isolation_probe(); }
  SandboxProbe sandbox() const override { return probe_sandbox(); }

  std::optional<std::string> environment(const std::string& name) const override {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  }

  std::uint32_t cpus_allowed() const override {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
      return static_cast<std::uint32_t>(std::max(CPU_COUNT(&cpus), 1));
    return static_cast<std::uint32_t>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L));
  }

  bool in_memory(const std::string& path) const override {
    struct statfs found {};
    if (::statfs(path.c_str(), &found) != 0) return false;
    return found.f_type == TMPFS_MAGIC || found.f_type == RAMFS_MAGIC;
  }
  std::optional<std::uint32_t> somaxconn() const override {
    std::uint32_t value = 0;
    std::ifstream file("/proc/sys/net/core/somaxconn");
    return file >> value ? std::optional(value) : std::nullopt;
  }
  std::uint64_t most_descriptors() const override {
    struct rlimit limit {};
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : UINT64_MAX;
  }
};

}  // namespace

const System& real_system() {
  static const RealSystem system;
  return system;
}

}  // namespace viaduct::daemon::config
