#include "daemon/master/log_file.hpp"

#include <unistd.h>

#include <cerrno>

namespace viaduct::daemon::master {

void LogFile::replace(UniqueFd file) {
  const std::lock_guard lock(mutex_);
  file_ = std::move(file);
}

void LogFile::write(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  while (!lines.empty()) {
    const ssize_t written = ::write(file_.get(), lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace viaduct::daemon::master
