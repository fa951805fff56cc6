#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/bridge/names/server_names.hpp"
#include "daemon/bridge/reactor.hpp"
#include "tests/daemon/bridge/names/fake_dns.hpp"

namespace viaduct::daemon::bridge::testing {

/// A reactor with a name server beside what is tested.
class LookupTest : public ::testing::Test {
 protected:
  /// Runs the reactor until `done`; a failure of the test when that takes longer than a minute.
  void until(const std::function<bool()>& done, std::string_view what) {
    const auto end = Clock::now() + std::chrono::seconds(60);
    while (!done()) {
      ASSERT_LT(Clock::now(), end) << "waited in vain: " << what;
      reactor.context().run_one_for(std::chrono::milliseconds(100));
    }
  }

  Reactor reactor{0};
  FakeDns dns{reactor.context()};
};

/// As text, sorted.
inline std::vector<std::string> texts(std::vector<IpAddress> addresses) {
  std::sort(addresses.begin(), addresses.end());
  std::vector<std::string> result;
  for (const IpAddress& address : addresses) result.push_back(address.to_string());
  return result;
}

}  // namespace viaduct::daemon::bridge::testing
