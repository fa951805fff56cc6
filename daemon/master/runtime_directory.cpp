#include "daemon/master/runtime_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "daemon/master/socket_file.hpp"

namespace viaduct::daemon::master {

namespace {

constexpr int kWorkerBacklog = 1024;
constexpr const char* kLock = "lock";

[[noreturn]] void fail(const std::string& what, int error = errno) {
  throw std::system_error(error, std::generic_category(), what);
}

std::string socket_name(std::uint64_t serial) {
  return std::to_string(serial) + ".sock";
}

// The lock, or nothing while another daemon lives there.
UniqueFd try_lock(const Directory& directory, int flags) {
  try {
    UniqueFd lock = directory.open_below(kLock, O_RDWR | flags, 0600);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return {};
    return lock;
  } catch (const std::system_error&) {
    return {};
  }
}

bool is_number(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](unsigned char c) { return c >= '0' && c <= '9'; });
}

// Whether a daemon of our user made it, and has ended.
bool is_left_over(const Directory& runtime_dir, const std::string& name) {
  try {
    const Directory directory = runtime_dir.open_directory_below(name);
    return directory.owner() == ::geteuid() && try_lock(directory, 0);
  } catch (const std::system_error&) {
    return false;
  }
}

void remove_leftovers(const Directory& runtime_dir) {
  for (const std::string& name : runtime_dir.names()) {
    if (is_number(name) && is_left_over(runtime_dir, name)) runtime_dir.remove_tree(name);
  }
}

bool is_root() {
  return ::geteuid() == 0;
}

// A user who may replace files in it could lead root elsewhere.
void refuse_if_insecure(const Directory& directory) {
  if (!is_root()) return;
  const std::string problem = directory.problem_for_root();
  if (!problem.empty()) fail(directory.path() + " " + problem, EPERM);
}

Directory open_runtime_dir(const std::string& path) {
  Directory directory = Directory::make(path, 0755);
  refuse_if_insecure(directory);
  remove_leftovers(directory);
  return directory;
}

Directory own_directory(const Directory& runtime_dir, const std::string& name) {
  return runtime_dir.make_below(name, 0711);
}

Directory workers_directory(const Directory& own) {
  return own.make_below("workers", is_root() ? 0711 : 0700);
}

bool is_lock_of(const UniqueFd& lock, const Directory& directory) {
  struct stat held {};
  struct stat there {};
  return lock && ::fstat(lock.get(), &held) == 0 &&
         ::fstatat(directory.descriptor(), kLock, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
         held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

UniqueFd lock(const Directory& own) {
  UniqueFd made = try_lock(own, O_CREAT);
  if (!made) fail("lock " + own.path() + "/" + kLock);
  return made;
}

}  // namespace

RuntimeDirectory::RuntimeDirectory(const std::string& runtime_dir, const config::Account& bridge)
    : runtime_dir_(open_runtime_dir(runtime_dir)),
      bridge_(bridge),
      name_(std::to_string(::getpid())),
      own_(own_directory(runtime_dir_, name_)),
      workers_(workers_directory(own_)),
      lock_(lock(own_)) {}

bool RuntimeDirectory::renew() {
  if (own_.in_place() && workers_.in_place()) return false;
  Directory runtime_dir = open_runtime_dir(runtime_dir_.path());
  Directory own = own_directory(runtime_dir, name_);
  Directory workers = workers_directory(own);
  // This process cannot lock the same file twice.
  if (!is_lock_of(lock_, own)) lock_ = lock(own);
  runtime_dir_ = std::move(runtime_dir);
  own_ = std::move(own);
  workers_ = std::move(workers);
  return true;
}

RuntimeDirectory::~RuntimeDirectory() {
  runtime_dir_.remove_tree(name_);
}

std::string RuntimeDirectory::worker_socket(std::uint64_t serial) const {
  return workers_.path() + "/" + socket_name(serial);
}

UniqueFd RuntimeDirectory::listen_for_worker(std::uint64_t serial) const {
  const std::string path = worker_socket(serial);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) fail("socket");
  // A dead daemon with our pid may have left one; the directory is locked by us.
  workers_.unlink(socket_name(serial));
  const SocketFile file = SocketFile::bind(socket.get(), path, 0600);
  if (bridge_.uid != ::geteuid() || bridge_.gid != ::getegid()) {
    file.set_owner(bridge_.uid, bridge_.gid);
  }
  if (::listen(socket.get(), kWorkerBacklog) != 0) fail("listen " + path);
  return socket;
}

bool RuntimeDirectory::has_worker_socket(std::uint64_t serial) const noexcept {
  struct stat status {};
  const int found =
      ::fstatat(workers_.descriptor(), socket_name(serial).c_str(), &status, AT_SYMLINK_NOFOLLOW);
  return found == 0 && S_ISSOCK(status.st_mode);
}

void RuntimeDirectory::remove_worker_socket(std::uint64_t serial) const noexcept {
  workers_.unlink(socket_name(serial));
}

}  // namespace viaduct::daemon::master
