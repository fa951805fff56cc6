#include "daemon/channel/place_of_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <optional>
#include <utility>

namespace viaduct::daemon::channel {

namespace {

constexpr int kMaxLinks = 40;  // as many as the kernel follows

UniqueFd open_directory(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

UniqueFd fail(int error) {
  errno = error;
  return {};
}

/// The way to a directory, a component at a time.
class Walk {
 public:
  explicit Walk(const std::string& path) : left_(path.empty() ? "." : path) { begin(); }

  UniqueFd run() {
    for (std::string name = take(); at_ && !name.empty(); name = take()) {
      if (const int error = step(name); error != 0) return fail(error);
    }
    struct stat status {};
    if (!at_ || ::fstat(at_.get(), &status) != 0) return {};
    if (!S_ISDIR(status.st_mode)) return fail(ENOTDIR);
    if (led_by_ && status.st_uid != *led_by_) return fail(EPERM);
    return std::move(at_);
  }

 private:
  void begin() { at_ = open_directory(left_.starts_with('/') ? "/" : "."); }

  // The next component; "" behind the last one.
  std::string take() {
    left_.erase(0, left_.find_first_not_of('/'));
    std::string name = left_.substr(0, left_.find('/'));
    left_.erase(0, name.size());
    return name;
  }

  int step(const std::string& name) {
    UniqueFd next(::openat(at_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!next || ::fstat(next.get(), &status) != 0) return errno;
    if (S_ISLNK(status.st_mode)) return follow(next.get(), status.st_uid);
    at_ = std::move(next);
    return 0;
  }

  int follow(int link, uid_t owner) {
    if (++links_ > kMaxLinks) return ELOOP;
    struct stat place {};
    if (::fstat(at_.get(), &place) != 0) return errno;
    const bool by_many =
        (place.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (place.st_mode & S_ISVTX) == 0;
    const uid_t maker = owner != 0 ? owner : place.st_uid;
    if (by_many || (maker != 0 && led_by_.value_or(maker) != maker)) return EPERM;
    if (maker != 0) led_by_ = maker;
    std::array<char, PATH_MAX> target;
    const ssize_t size = ::readlinkat(link, "", target.data(), target.size());
    if (size < 0) return errno;
    left_.insert(0, std::string(target.data(), static_cast<std::size_t>(size)) + '/');
    if (left_.starts_with('/')) begin();
    return at_ ? 0 : errno;
  }

  std::string left_;
  UniqueFd at_;
  int links_ = 0;
  std::optional<uid_t> led_by_;  // who else than root made the links
};

}  // namespace

UniqueFd open_place(const std::string& directory) {
  return ::geteuid() == 0 ? Walk(directory).run() : open_directory(directory);
}

}  // namespace viaduct::daemon::channel
