#include "daemon/config/executable.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace viaduct::daemon::config {
namespace {

constexpr mode_t kExecute = 01;  // a file; or search a directory
constexpr mode_t kChange = 03;   // a directory

// Whether the mode bits that apply to the account have all of `wanted`.
bool allows(const FileStatus& file, const Account& account, mode_t wanted) {
  if (file.has_acl) return true;
  if (account.uid == 0) return S_ISDIR(file.mode) || (file.mode & 0111) != 0;
  const auto has = [&](unsigned shift) { return (file.mode >> shift & wanted) == wanted; };
  if (file.uid == account.uid) return has(6);
  const bool member =
      file.gid == account.gid ||
      std::find(account.groups.begin(), account.groups.end(), file.gid) != account.groups.end();
  return has(member ? 3 : 0);
}

bool may_execute(const FileStatus& file, const Account& account) {
  return allows(file, account, kExecute);
}

FileStatus status_of(const System& system, const std::string& path, const std::string& root) {
  return root.empty() ? system.status(path) : system.status_in(root, path);
}

Access can_search(const System& system, const Account& account, const std::string& directory,
                  const std::string& root) {
  const FileStatus status = status_of(system, directory, root);
  if (status.error == ENOENT) return {ENOENT, directory + " does not exist"};
  if (status.error != 0) return {status.error, "at " + directory};
  if (!S_ISDIR(status.mode)) return {ENOTDIR, directory + " is not a directory"};
  if (!may_execute(status, account))
    return {EACCES, "user " + account.name + " cannot search " + directory};
  return {};
}

Access can_reach(const System& system, const Account& account, const std::string& path,
                 const std::string& root) {
  for (std::size_t slash = 0; slash != std::string::npos && slash + 1 < path.size();
       slash = path.find('/', slash + 1)) {
    Access access = can_search(system, account, slash == 0 ? "/" : path.substr(0, slash), root);
    if (access.error != 0) return access;
  }
  return {};
}

}  // namespace

Access executable_by(const System& system, const Account& account, const std::string& path,
                     const std::string& root) {
  Access access = can_reach(system, account, path, root);
  if (access.error != 0) return access;
  const FileStatus status = status_of(system, path, root);
  if (status.error != 0) return {status.error, {}};
  if (!S_ISREG(status.mode)) return {EACCES, "it is not a regular file"};
  if (!may_execute(status, account)) return {EACCES, "user " + account.name + " cannot execute it"};
  return {};
}

Access enterable_by(const System& system, const Account& account, const std::string& path,
                    const std::string& root) {
  Access access = can_reach(system, account, path, root);
  if (access.error != 0) return access;
  access = can_search(system, account, path, root);
  if (access.error == ENOENT) access.because.clear();
  return access;
}

Access writable_by(const System& system, const Account& account, const std::string& path) {
  Access access = enterable_by(system, account, path);
  if (access.error != 0) return access;
  if (allows(system.status(path), account, kChange)) return {};
  return {EACCES, "user " + account.name + " cannot write to " + path};
}

bool program_is_replaced(const AppSettings& app, const System& system) {
  if (app.executable.empty()) return false;
  return system.program(app.isolation.chroot, app.executable).identity != app.command_file;
}

Found find_in_path(const System& system, const Account& account, std::string_view program,
                   std::string_view search_path, const std::string& root) {
  Found first_found;
  while (!search_path.empty()) {
    const auto end = std::min(search_path.find(':'), search_path.size());
    const std::string_view directory = search_path.substr(0, end);
    search_path.remove_prefix(std::min(end + 1, search_path.size()));
    if (!directory.starts_with('/')) continue;  // relative to nowhere that is known here
    Found found;
    found.path =
        std::string(directory) + (directory.ends_with('/') ? "" : "/") + std::string(program);
    found.access = executable_by(system, account, found.path, root);
    if (found.access.error == 0) return found;
    if (first_found.path.empty() && status_of(system, found.path, root).error == 0)
      first_found = found;
  }
  if (first_found.path.empty()) first_found.access = {ENOENT, {}};
  return first_found;
}

}  // namespace viaduct::daemon::config
