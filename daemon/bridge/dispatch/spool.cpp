#include "daemon/bridge/dispatch/spool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace viaduct::daemon::bridge {

namespace {

std::string or_default(std::string directory) {
  if (!directory.empty()) return directory;
  const char* const given = std::getenv("TMPDIR");
  return given != nullptr && *given != '\0' ? given : "/tmp";
}

}  // namespace

Spool::Spool(std::string directory, std::uint64_t limit)
    : directory_(or_default(std::move(directory))), limit_(limit) {}

int Spool::open(std::error_code& error) const {
  int file = ::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
    std::string name = directory_ + "/viaduct-spool-XXXXXX";
    file = ::mkostemp(name.data(), O_CLOEXEC);
    if (file >= 0) ::unlink(name.c_str());
  }
  if (file < 0) error = {errno, std::generic_category()};
  return file;
}

bool Spool::take(std::uint64_t bytes, Use use) {
  const std::uint64_t limit = use == Use::response ? limit_ / 2 : limit_;
  const std::uint64_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
  if (limit_ == 0 || before + bytes <= limit) return true;
  give_back(bytes);
  return false;
}

}  // namespace viaduct::daemon::bridge
