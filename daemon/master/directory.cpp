#include "daemon/master/directory.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "daemon/channel/place_of_file.hpp"
#include "daemon/config/directory_trust.hpp"

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

// The directory that the path leads to, or where it is to be made, as far as root follows links.
UniqueFd open_place(const std::string& path) {
  UniqueFd place = channel::open_place(path);
  if (!place && errno == EPERM) fail(path + ", which a link of another user leads to");
  if (!place) fail("open " + path);
  return place;
}

// Path without a name at its end that stands for itself: "/run/x/" and "/run/x/." are "/run/x".
std::filesystem::path without_tail(const std::string& path) {
  auto whole = std::filesystem::path(path).lexically_normal();
  return whole.has_filename() && whole.filename() != "." ? whole : whole.parent_path();
}

using Listing = std::unique_ptr<DIR, int (*)(DIR*)>;

// Null, with errno, when it is no directory.
Listing list(int parent, const char* name) noexcept {
  const int copy = ::openat(parent, name, kOpenDirectory | O_NOFOLLOW);
  DIR* const listing = copy < 0 ? nullptr : ::fdopendir(copy);
  if (copy >= 0 && listing == nullptr) ::close(copy);
  return {listing, &::closedir};
}

// The next name in it but "." and ".."; null behind the last one.
const char* next_name(const Listing& listing) noexcept {
  while (const dirent* entry = ::readdir(listing.get())) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
      return entry->d_name;
    }
  }
  return nullptr;
}

// Whether it is gone. `left` is how many entries may still be looked at.
bool remove_below(int parent, const char* name, int deep, std::size_t& left) noexcept {
  if (left == 0) return false;
  --left;
  if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) return true;
  if (errno != EISDIR || deep == 0) return false;
  if (const Listing listing = list(parent, name)) {
    const int below = ::dirfd(listing.get());
    for (const char* entry = next_name(listing); entry != nullptr; entry = next_name(listing)) {
      if (!remove_below(below, entry, deep - 1, left) && left == 0) return false;
    }
  }
  return ::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

}  // namespace

Directory Directory::open(const std::string& path) {
  return {open_place(path), path};
}

Directory Directory::make(const std::string& path, mode_t mode) {
  const auto whole = without_tail(path);
  const UniqueFd parent = open_place(whole.has_parent_path() ? whole.parent_path() : ".");
  const std::string name = whole.filename();
  const bool made = ::mkdirat(parent.get(), name.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) fail("mkdir " + path);
  const UniqueFd place = made ? UniqueFd() : open_place(whole);
  UniqueFd descriptor(made ? ::openat(parent.get(), name.c_str(), kOpenDirectory | O_NOFOLLOW)
                           : ::openat(place.get(), ".", kOpenDirectory));
  if (!descriptor) fail("open " + path);
  Directory directory(std::move(descriptor), path);
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

Directory Directory::open_directory_below(const std::string& name) const {
  return {open_below(name, kOpenDirectory), path_ + "/" + name};
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

std::string Directory::problem_for_root() const {
  const struct stat status = status_of(descriptor(), path_);
  return config::runtime_dir_problem(status.st_uid, status.st_mode);
}

std::vector<std::string> Directory::names() const {
  const Listing listing = list(descriptor(), ".");
  if (!listing) fail("open " + path_);
  std::vector<std::string> found;
  while (found.size() < kMostEntries) {
    const char* const name = next_name(listing);
    if (name == nullptr) break;
    found.emplace_back(name);
  }
  return found;
}

bool Directory::unlink(const std::string& name) const noexcept {
  return ::unlinkat(descriptor(), name.c_str(), 0) == 0 || errno == ENOENT;
}

bool Directory::remove_tree(const std::string& name) const noexcept {
  std::size_t left = kMostEntries;
  return remove_below(descriptor(), name.c_str(), kMostDeep, left);
}

}  // namespace viaduct::daemon::master
