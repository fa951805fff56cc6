#include "daemon/master/directory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace viaduct::daemon::master {

namespace {

constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

[[noreturn]] void fail(const std::string& what, int error = errno) {
  throw std::system_error(error, std::generic_category(), what);
}

struct stat status_of(int descriptor, const std::string& path) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) fail("stat " + path);
  return status;
}

}  // namespace

Directory Directory::open(const std::string& path) {
  UniqueFd descriptor(::open(path.c_str(), kOpenDirectory));
  if (!descriptor) fail("open " + path);
  return {std::move(descriptor), path};
}

Directory Directory::make(const std::string& path, mode_t mode) {
  const bool made = ::mkdir(path.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) fail("mkdir " + path);
  Directory directory = open(path);
  // Another directory may have taken its place: only one that is our own and new is changed.
  if (made && directory.owner() == ::geteuid() && ::fchmod(directory.descriptor(), mode) != 0) {
    fail("chmod " + path);
  }
  return directory;
}

Directory Directory::make_below(const std::string& name, mode_t mode) const {
  const std::string path = path_ + "/" + name;
  if (::mkdirat(descriptor(), name.c_str(), 0700) != 0 && errno != EEXIST) fail("mkdir " + path);
  Directory made(open_below(name, kOpenDirectory), path);
  if (made.owner() != ::geteuid()) {
    fail(path + " belongs to user " + std::to_string(made.owner()), EPERM);
  }
  if (::fchmod(made.descriptor(), mode) != 0) fail("chmod " + path);
  return made;
}

UniqueFd Directory::open_below(const std::string& name, int flags, mode_t mode) const {
  UniqueFd file(::openat(descriptor(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) fail("open " + path_ + "/" + name);
  return file;
}

bool Directory::in_place() const noexcept {
  struct stat there {};
  struct stat own {};
  return ::stat(path_.c_str(), &there) == 0 && ::fstat(descriptor(), &own) == 0 &&
         there.st_dev == own.st_dev && there.st_ino == own.st_ino;
}

uid_t Directory::owner() const {
  return status_of(descriptor(), path_).st_uid;
}

bool Directory::open_to_others() const {
  const struct stat status = status_of(descriptor(), path_);
  return (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (status.st_mode & S_ISVTX) == 0;
}

bool Directory::unlink(const std::string& name) const noexcept {
  return ::unlinkat(descriptor(), name.c_str(), 0) == 0 || errno == ENOENT;
}

}  // namespace viaduct::daemon::master
