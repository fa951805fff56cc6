#include "sdk/src/runtime/stack_frames.hpp"

#include <numeric>

#include <gmock/gmock.h>

#include "sdk/src/runtime/symbols.hpp"

namespace viaduct::test {
namespace {

using detail::StackFrames;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

volatile int sink = 0;

__attribute__((noinline)) void innermost(StackFrames& frames) {
  frames.capture(0);
  sink = sink + 1;
}

__attribute__((noinline)) void recurse(int depth, StackFrames& frames) {
  if (depth == 0) {
    innermost(frames);
  } else {
    recurse(depth - 1, frames);
  }
  sink = sink + 1;
}

TEST(StackFrames, InnermostFirst) {
  StackFrames frames;
  recurse(1, frames);
  const auto lines = detail::describe_stack(frames);
  ASSERT_GT(lines.size(), 3u);
  EXPECT_THAT(lines[0],
              AllOf(HasSubstr("innermost("), HasSubstr(" at stack_frames_test.cpp:21 (")));
  EXPECT_THAT(lines[1], HasSubstr("recurse("));
  EXPECT_THAT(lines[2], HasSubstr("recurse("));
  EXPECT_EQ(frames.omitted(), 0u);
}

TEST(StackFrames, DeepStacksKeepBothEnds) {
  StackFrames frames;
  recurse(500, frames);
  EXPECT_GT(frames.omitted(), 400u);
  const auto lines = detail::describe_stack(frames);
  EXPECT_THAT(lines.front(), HasSubstr("innermost("));
  EXPECT_THAT(lines[48], ::testing::MatchesRegex("\\.\\.\\. [0-9]+ frames \\.\\.\\."));
  EXPECT_THAT(lines, ::testing::Contains(HasSubstr("DeepStacksKeepBothEnds")));
  EXPECT_THAT(lines.back(), HasSubstr("_start"));
}

TEST(StackFrames, TextEndsWithAWholeLine) {
  StackFrames frames;
  recurse(3, frames);
  const auto lines = detail::describe_stack(frames);
  const std::size_t first = lines[0].size() + 1;
  EXPECT_EQ(detail::stack_text(frames, first - 1), "");
  EXPECT_EQ(detail::stack_text(frames, first), lines[0] + '\n');
  EXPECT_EQ(detail::stack_text(frames, first + lines[1].size()), lines[0] + '\n');
  EXPECT_EQ(detail::stack_text(frames, first + lines[1].size() + 1),
            lines[0] + '\n' + lines[1] + '\n');
}

TEST(StackFrames, UnknownAddressesAreNumbers) {
  EXPECT_EQ(detail::describe_frame(16), "+0x10");
}

}  // namespace
}  // namespace viaduct::test
