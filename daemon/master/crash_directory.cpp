#include "daemon/master/crash_directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "daemon/channel/place_of_file.hpp"

namespace viaduct::daemon::master {

namespace {

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

bool is_roots_alone(int directory) {
  struct stat status {};
  return ::fstat(directory, &status) == 0 && status.st_uid == 0 &&
         (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

CrashDirectory::CrashDirectory(const std::string& path) : path_(path) {
  const std::string what = "crash_dir " + path;
  auto whole = std::filesystem::path(path).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  const std::string name = whole.filename();
  const UniqueFd parent = channel::open_place(whole.parent_path());
  if (!parent) fail(what);
  if (::mkdirat(parent.get(), name.c_str(), 0750) != 0 && errno != EEXIST) fail(what);
  // Root's own links may lead elsewhere, not those of whoever else may write there.
  const int follow = is_roots_alone(parent.get()) ? 0 : O_NOFOLLOW;
  directory_.reset(
      ::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow));
  // The kernel would only say that a link is no directory.
  char target[1];
  if (!directory_ && errno == ENOTDIR) {
    errno = ::readlinkat(parent.get(), name.c_str(), target, sizeof target) < 0 ? ENOTDIR : ELOOP;
  }
  if (!directory_) fail(what);
  if (::faccessat(directory_.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) fail(what);
}

std::string CrashDirectory::add(const CrashReport& report, CrashSearch& search) const {
  const std::string name = crash_file_name(report);
  std::string path = path_ + "/" + name;
  const UniqueFd file(::openat(directory_.get(), name.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640));
  if (!file) fail(path);
  if (!write_all(file.get(), to_text(report))) {
    const int error = errno;
    ::unlinkat(directory_.get(), name.c_str(), 0);
    errno = error;
    fail(path);
  }
  remove_oldest(report.app, search);
  return path;
}

void CrashDirectory::remove_oldest(const std::string& app, CrashSearch& search) const {
  CrashSearch now = std::exchange(search, {});
  const int copy = ::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(copy < 0 ? nullptr : ::fdopendir(copy),
                                                    &::closedir);
  if (!listing) return;
  // Where a directory has no such position any more, this is its end, and the next begins anew.
  if (!now.finished()) ::seekdir(listing.get(), now.position);
  for (std::size_t seen = 0; seen < kMostEntries; ++seen) {
    const dirent* const entry = ::readdir(listing.get());
    if (entry == nullptr) return;
    if (!is_crash_file(app, entry->d_name)) continue;
    now.kept.emplace(entry->d_name);
    if (now.kept.size() <= kKept) continue;
    ::unlinkat(directory_.get(), now.kept.begin()->c_str(), 0);
    now.kept.erase(now.kept.begin());
  }
  now.position = ::telldir(listing.get());
  search = std::move(now);
}

}  // namespace viaduct::daemon::master
