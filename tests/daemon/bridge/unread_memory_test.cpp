// By what the kernel counts for a Unix socket it is told that a program has read nothing.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/bridge/socket.hpp"

namespace viaduct::daemon::bridge {
namespace {

class UnreadMemory : public ::testing::TestWithParam<std::size_t> {
 protected:
  static constexpr std::size_t kFirst = 16;  // a BEGIN_REQUEST record

  UnreadMemory() {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()), 0);
  }
  ~UnreadMemory() override {
    for (const int end : ends_) ::close(end);
  }
  void write(std::size_t bytes) {
    const std::vector<char> text(bytes, 'x');
    ASSERT_EQ(::write(ends_[0], text.data(), bytes), static_cast<ssize_t>(bytes));
  }
  void read(std::size_t bytes) {
    std::vector<char> text(bytes);
    ASSERT_EQ(::read(ends_[1], text.data(), bytes), static_cast<ssize_t>(bytes));
  }
  [[nodiscard]] std::uint64_t memory() const { return unacknowledged(ends_[0]); }

 private:
  std::array<int, 2> ends_{};
};

INSTANTIATE_TEST_SUITE_P(Sizes, UnreadMemory,
                         ::testing::Values(1, 16, 24, 600, 4000, 33'000, 70'000),
                         ::testing::PrintToStringParamName());

TEST_P(UnreadMemory, IsThatOfBothWritesUntilTheFirstIsRead) {
  const auto expected = memory_of_writes(kFirst, GetParam());
  ASSERT_TRUE(expected);
  write(kFirst);
  EXPECT_LT(memory(), *expected);
  write(GetParam());
  EXPECT_EQ(memory(), *expected);
  read(kFirst);
  EXPECT_LT(memory(), *expected);
  read(GetParam());
  EXPECT_EQ(memory(), 0U);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
