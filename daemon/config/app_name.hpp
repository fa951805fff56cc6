#pragma once

#include <string_view>

namespace viaduct::daemon::config {

// Whether an app may have this name: 1 to 64 letters, digits, - and _, the first a letter or digit.
bool is_app_name(std::string_view name) noexcept;

}  // namespace viaduct::daemon::config
