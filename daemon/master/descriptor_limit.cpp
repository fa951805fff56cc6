#include "daemon/master/descriptor_limit.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace viaduct::daemon::master {

DescriptorLimit::DescriptorLimit() {
  if (::getrlimit(RLIMIT_NOFILE, &original_) != 0) {
    throw std::system_error(errno, std::generic_category(), "getrlimit");
  }
}

void DescriptorLimit::raise(std::uint64_t wanted) noexcept {
  rlimit limit = original_;
  limit.rlim_cur = std::min<rlim_t>(std::max<rlim_t>(wanted, original_.rlim_cur), limit.rlim_max);
  // What cannot be had has been said when the configuration was read.
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace viaduct::daemon::master
