#pragma once

#include <cstdint>
#include <random>

#include "daemon/config/bridge_settings.hpp"
#include "protocol/pairs.hpp"

namespace viaduct::daemon::bridge {

/// Decides which requests of an app go to its canaries: those with a certain variable, and a share
/// of the others by chance. One for each thread.
class Canary {
 public:
  /// `settings` is borrowed and outlives it.
  Canary(const config::BridgeApp& settings, std::uint32_t seed)
      : settings_(settings), random_(seed) {}

  [[nodiscard]] bool takes(const protocol::Pairs& params) {
    if (!settings_.canary_variable.empty() && params.get(settings_.canary_variable)) return true;
    return settings_.canary_share > 0 && chance_(random_) < settings_.canary_share;
  }

 private:
  const config::BridgeApp& settings_;
  std::minstd_rand random_;
  std::uniform_int_distribution<std::uint32_t> chance_{0, config::kWholeShare - 1};
};

}  // namespace viaduct::daemon::bridge
