#include "daemon/bridge/memory/footprint.hpp"

#include <sys/mman.h>

#include <cstring>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

class FootprintTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!footprint.growth()) GTEST_SKIP() << "pages tell nothing here";
  }

  // Free memory that other tests left in the heap would be used first, and be seen by nobody.
  static Footprint of_a_trimmed_heap() {
    Footprint::trim();
    return Footprint();
  }

  Footprint footprint = of_a_trimmed_heap();
};

TEST_F(FootprintTest, GrowsByThePagesThatAreWritten) {
  constexpr std::size_t kSize = 32 * kMiB;
  auto* const pages = static_cast<char*>(
      ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(pages, MAP_FAILED);
  EXPECT_LT(footprint.growth(), kMiB) << "nothing is written yet";
  std::memset(pages, 1, kSize / 2);
  EXPECT_GE(footprint.growth(), kSize / 2 - kMiB);
  EXPECT_LT(footprint.growth(), kSize / 2 + kMiB);
  ::munmap(pages, kSize);
  EXPECT_LT(footprint.growth(), kMiB);
}

TEST_F(FootprintTest, KeepsWhatTheHeapHasFreeUntilItIsTrimmed) {
  constexpr std::size_t kCount = 1024;
  std::vector<std::unique_ptr<std::vector<char>>> blocks;
  for (std::size_t i = 0; i < kCount; ++i) {
    blocks.push_back(std::make_unique<std::vector<char>>(32 * 1024, 'x'));
  }
  EXPECT_GE(footprint.growth(), 31 * kMiB);
  // The last one keeps the heap from shrinking at its end.
  blocks.erase(blocks.begin(), blocks.end() - 1);
  EXPECT_GE(footprint.growth(), 16 * kMiB);
  Footprint::trim();
  EXPECT_LT(footprint.growth(), 2 * kMiB);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
