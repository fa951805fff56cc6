// The tests of the master. Started as a bridge, since a bridge is its master's program, it is a
// hostile one.
#include <unistd.h>

#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "daemon/channel/message.hpp"
#include "tests/daemon/master/hostile_bridge.hpp"

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--bridge") == 0) {
    namespace channel = viaduct::daemon::channel;
    constexpr std::size_t kLongestDeed = 100;
    std::string deed(kLongestDeed, '\0');
    const ssize_t size = ::pread(channel::kSettingsDescriptor, deed.data(), deed.size(), 0);
    deed.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return viaduct::daemon::master::hostile_bridge(deed);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
