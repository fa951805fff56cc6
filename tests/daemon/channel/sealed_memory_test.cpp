#include "daemon/channel/sealed_memory.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>

#include <gtest/gtest.h>

namespace viaduct::daemon::channel {
namespace {

TEST(SealedMemoryTest, NobodyCanChangeIt) {
  const UniqueFd memory = sealed_memory("test", "{\"a\":1}");
  std::array<char, 32> bytes{};
  for (int reader = 0; reader < 2; ++reader) {
    EXPECT_EQ(::pread(memory.get(), bytes.data(), bytes.size(), 0), 7);
    EXPECT_STREQ(bytes.data(), "{\"a\":1}");
  }
  EXPECT_LT(::write(memory.get(), "x", 1), 0);
  EXPECT_EQ(errno, EPERM);
  EXPECT_NE(::ftruncate(memory.get(), 0), 0);
}

}  // namespace
}  // namespace viaduct::daemon::channel
