#include "daemon/config/app_name.hpp"

#include <cstddef>

namespace viaduct::daemon::config {

bool is_app_name(std::string_view name) noexcept {
  constexpr std::string_view kAllowed =
      "-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  constexpr std::size_t kMaxName = 64;
  return !name.empty() && name.size() <= kMaxName && name.front() != '-' && name.front() != '_' &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace viaduct::daemon::config
