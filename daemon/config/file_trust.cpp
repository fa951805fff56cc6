#include "daemon/config/file_trust.hpp"

#include <sys/stat.h>

#include <filesystem>

namespace viaduct::daemon::config {

bool only_root_can_change(const std::string& path) {
  const std::filesystem::path whole(path);
  if (!whole.is_absolute()) return false;
  std::filesystem::path part;
  for (const auto& name : whole) {
    part /= name;
    struct stat status {};
    if (::lstat(part.c_str(), &status) != 0 || status.st_uid != 0) return false;
    if (S_ISLNK(status.st_mode) || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) return false;
  }
  return true;
}

}  // namespace viaduct::daemon::config
