#include "daemon/channel/sealed_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
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

TEST(SealedMemoryTest, IsReadUpToTheLimit) {
  const std::string text(100'000, 'x');
  const UniqueFd memory = sealed_memory("test", text);
  EXPECT_EQ(read_sealed_memory(memory.get(), text.size() + 1), text);
  EXPECT_EQ(read_sealed_memory(memory.get(), text.size()), text);
  EXPECT_EQ(read_sealed_memory(memory.get(), text.size() - 1), std::nullopt);
  EXPECT_EQ(read_sealed_memory(sealed_memory("test", "").get(), 0), "");
}

TEST(SealedMemoryTest, OtherDescriptorsAreNotRead) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  EXPECT_EQ(read_sealed_memory(read_end.get(), 100), std::nullopt);
  const UniqueFd unsealed(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_EQ(read_sealed_memory(unsealed.get(), 100), std::nullopt);
  EXPECT_EQ(read_sealed_memory(-1, 100), std::nullopt);
}

}  // namespace
}  // namespace viaduct::daemon::channel
