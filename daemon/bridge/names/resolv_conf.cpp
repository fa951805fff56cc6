#include "daemon/bridge/names/resolv_conf.hpp"

#include <fcntl.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::bridge {

std::optional<std::string> forbidden_resolv_conf(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file || errno != EACCES) return std::nullopt;
  std::error_code error;
  const auto target = std::filesystem::canonical(path, error);
  return error ? path : target.string();
}

}  // namespace viaduct::daemon::bridge
