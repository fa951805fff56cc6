#include "daemon/channel/answer_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include <gtest/gtest.h>

namespace viaduct::daemon::channel {
namespace {

constexpr std::size_t kSize = 10'000;

TEST(AnswerMemoryTest, AnswersAreCopiedUpToTheLimit) {
  const UniqueFd memory = make_answer_memory(kSize);
  EXPECT_EQ(::fcntl(memory.get(), F_GETFD), FD_CLOEXEC);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kSize - 1, kSize}) {
    const std::string answer(size, 'x');
    ASSERT_TRUE(write_answer(memory.get(), answer));
    EXPECT_EQ(read_answer(memory.get(), size, kSize), answer);
  }
  EXPECT_FALSE(write_answer(memory.get(), std::string(kSize + 1, 'x')));
}

TEST(AnswerMemoryTest, SizesThatAreNotThereAreRefused) {
  const UniqueFd memory = make_answer_memory(kSize);
  EXPECT_EQ(read_answer(memory.get(), kSize + 1, kSize), std::nullopt);
  EXPECT_EQ(read_answer(memory.get(), UINT_MAX, kSize), std::nullopt);
  EXPECT_EQ(read_answer(-1, 1, kSize), std::nullopt);
  EXPECT_FALSE(write_answer(-1, "x"));
}

TEST(AnswerMemoryTest, ItsSizeCannotBeChanged) {
  const UniqueFd memory = make_answer_memory(kSize);
  EXPECT_NE(::ftruncate(memory.get(), 0), 0);
  EXPECT_EQ(errno, EPERM);
  EXPECT_NE(::ftruncate(memory.get(), 2 * kSize), 0);
  EXPECT_NE(::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_WRITE), 0);
}

// A hole reads as zeros.
TEST(AnswerMemoryTest, HolesAreNoError) {
  const UniqueFd memory = make_answer_memory(kSize);
  ASSERT_TRUE(write_answer(memory.get(), "hello"));
  ASSERT_EQ(::fallocate(memory.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kSize), 0);
  EXPECT_EQ(read_answer(memory.get(), 5, kSize), std::string(5, '\0'));
}

}  // namespace
}  // namespace viaduct::daemon::channel
