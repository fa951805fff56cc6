#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "daemon/channel/place_of_file.hpp"
#include "daemon/channel/unique_fd.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::log {

namespace {

// A descriptor of this process: whoever names one decides what it is.
bool is_own_descriptor(const std::string& path) {
  return path == "/dev/stdout" || path == "/dev/stderr" || path.starts_with("/dev/fd/");
}

// A write to a pipe or a terminal that nobody reads could take for ever.
bool is_usable(int descriptor, const std::string& path) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return false;
  return S_ISREG(status.st_mode) || S_ISCHR(status.st_mode) || is_own_descriptor(path);
}

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), "open " + what);
}

// Whoever may write in a directory can put a hard link to any other file there, which root must not
// write to.
void check_owner(int directory, int file, const std::string& path) {
  struct stat place {};
  struct stat status {};
  if (::fstat(directory, &place) != 0 || ::fstat(file, &status) != 0) fail(errno, path);
  const bool others_write = place.st_uid != 0 || (place.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  if (::geteuid() != 0 || !others_write || !S_ISREG(status.st_mode)) return;
  if (status.st_nlink > 1) {
    fail(EMLINK,
         path + ", a file with several names in a directory that others than root may write");
  }
  if (status.st_uid != 0 && status.st_uid != place.st_uid) {
    fail(EPERM, path + ", a file of another user than root and the owner of its directory");
  }
}

}  // namespace

int open_file(const std::string& path) {
  const std::filesystem::path whole(path);
  // Names of own descriptors are links.
  const int follow = is_own_descriptor(path) ? 0 : O_NOFOLLOW;
  const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | follow;
  const std::string parent = whole.has_parent_path() ? whole.parent_path().string() : ".";
  const UniqueFd directory = channel::open_place(parent);
  if (!directory && errno == EPERM) fail(EPERM, path + ", which a link of another user leads to");
  if (!directory) fail(errno, path);
  UniqueFd file(::openat(directory.get(), whole.filename().c_str(), flags, 0640));
  if (!file) fail(errno, path);
  if (!is_usable(file.get(), path) || ::fcntl(file.get(), F_SETFL, O_APPEND) != 0) {
    fail(EINVAL, path + ", not a file or character device");
  }
  check_owner(directory.get(), file.get(), path);
  return file.release();
}

}  // namespace viaduct::daemon::log
