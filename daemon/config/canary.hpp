// The processes that an app's settings stand for: its workers and, where configured, its canaries.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/config/app_settings.hpp"

namespace viaduct::daemon::config {

struct Settings;

// The app as its canaries run it: the other command, in as many workers as their share of the
// requests asks for, at least one. Only when `app.canary` is there.
AppSettings canary_of(const AppSettings& app);

// "shop", or "shop/canary".
std::string pool_name(const AppSettings& app);

// As it is written: "5%", "0.25%". `share`: in hundredths of a percent.
std::string format_share(std::uint32_t share);

// All apps in their order, then the canaries of those that have some.
std::vector<AppSettings> pools_of(const Settings& settings);

}  // namespace viaduct::daemon::config
