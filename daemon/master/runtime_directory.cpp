#include "daemon/master/runtime_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "daemon/master/socket_address.hpp"

namespace viaduct::daemon::master {

namespace {

namespace fs = std::filesystem;

constexpr int kWorkerBacklog = 1024;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void make_directory(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) fail("mkdir " + path);
}

// The lock, or nothing while another daemon lives there.
UniqueFd try_lock(const std::string& directory, int flags) {
  const std::string path = directory + "/lock";
  UniqueFd lock(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600));
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return {};
  return lock;
}

bool is_number(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](unsigned char c) { return c >= '0' && c <= '9'; });
}

void remove_leftovers(const std::string& runtime_dir) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(runtime_dir, ignored)) {
    if (!is_number(entry.path().filename()) || entry.is_symlink(ignored)) continue;
    const UniqueFd lock = try_lock(entry.path(), 0);
    if (lock) fs::remove_all(entry.path(), ignored);
  }
}

void give_to(const std::string& path, const config::Account& account) {
  if (account.uid == ::geteuid() && account.gid == ::getegid()) return;
  if (::lchown(path.c_str(), account.uid, account.gid) != 0) fail("chown " + path);
}

}  // namespace

RuntimeDirectory::RuntimeDirectory(const std::string& runtime_dir, const config::Account& bridge)
    : path_(runtime_dir + "/" + std::to_string(::getpid())), bridge_(bridge) {
  if (::mkdir(runtime_dir.c_str(), 0755) == 0) {
    ::chmod(runtime_dir.c_str(), 0755);
  } else if (errno != EEXIST) {
    fail("mkdir " + runtime_dir);
  }
  remove_leftovers(runtime_dir);
  make_directory(path_, 0711);
  ::chmod(path_.c_str(), 0711);
  lock_ = try_lock(path_, O_CREAT);
  if (!lock_) fail("lock " + path_ + "/lock");
  const std::string workers = path_ + "/workers";
  make_directory(workers, 0700);
  give_to(workers, bridge_);
}

RuntimeDirectory::~RuntimeDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string RuntimeDirectory::worker_socket(std::uint64_t serial) const {
  return path_ + "/workers/" + std::to_string(serial) + ".sock";
}

UniqueFd RuntimeDirectory::listen_for_worker(std::uint64_t serial) const {
  const std::string path = worker_socket(serial);
  const SocketAddress address = unix_address(path);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) fail("socket");
  // What a dead daemon with our pid left; the directory is locked by us.
  ::unlink(path.c_str());
  if (::bind(socket.get(), address.get(), address.length) != 0) fail("bind " + path);
  // Only the bridge's user can enter the directory, and nobody can connect before listen().
  if (::chmod(path.c_str(), 0600) != 0) fail("chmod " + path);
  give_to(path, bridge_);
  if (::listen(socket.get(), kWorkerBacklog) != 0) fail("listen " + path);
  return socket;
}

void RuntimeDirectory::remove_worker_socket(std::uint64_t serial) const noexcept {
  ::unlink(worker_socket(serial).c_str());
}

}  // namespace viaduct::daemon::master
