// The tests of the master. Started as a bridge, since a bridge is its master's program, it is a
// hostile one.
#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "daemon/channel/message.hpp"
#include "daemon/channel/sealed_memory.hpp"
#include "tests/daemon/master/hostile_bridge.hpp"

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--bridge") == 0) {
    namespace channel = viaduct::daemon::channel;
    constexpr std::size_t kLongestDeed = 100;
    const auto deed = channel::read_sealed_memory(channel::kSettingsDescriptor, kLongestDeed);
    return viaduct::daemon::master::hostile_bridge(deed.value_or(""));
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
