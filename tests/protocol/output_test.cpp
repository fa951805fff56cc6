#include "protocol/output.hpp"

#include <array>
#include <cstring>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/trace.hpp"

namespace viaduct::protocol {
namespace {

using test::drain;

const std::string kLarge(Output::kReferAtLeast, 'L');

TEST(Output, YieldsPiecesInTheOrderAppended) {
  Output output;
  output.copy("one ");
  output.refer(as_bytes(kLarge));
  output.copy(" two ");
  output.refer(as_bytes("small"));
  EXPECT_EQ(output.size(), 4 + kLarge.size() + 10);
  EXPECT_EQ(drain(output, 7), "one " + kLarge + " two small");
  EXPECT_TRUE(output.empty());
}

TEST(Output, RefersToLargePiecesAndCopiesSmallOnes) {
  const std::string below(Output::kReferAtLeast - 1, 'b');
  Output output;
  output.refer(as_bytes(below));
  output.refer(as_bytes(kLarge));
  std::array<Bytes, 4> pieces;
  ASSERT_EQ(output.gather(pieces), 2u);
  EXPECT_NE(static_cast<const void*>(pieces[0].data()), below.data());
  EXPECT_EQ(static_cast<const void*>(pieces[1].data()), kLarge.data());
}

TEST(Output, GatherFillsNoMoreThanThereIsRoomFor) {
  Output output;
  output.copy("a");
  output.refer(as_bytes(kLarge));
  output.copy("b");
  std::array<Bytes, 2> pieces;
  EXPECT_EQ(output.gather(pieces), 2u);
  EXPECT_EQ(output.gather({}), 0u);
}

TEST(Output, SettledBytesSurviveTheBorrowedMemory) {
  Output output;
  std::string borrowed = kLarge;
  output.copy("head");
  output.refer(as_bytes(borrowed));
  output.consume(6);
  output.settle();
  borrowed.assign(borrowed.size(), 'x');
  EXPECT_EQ(drain(output), kLarge.substr(2));
}

TEST(Output, RevisesWhatHasNotLeft) {
  Output output;
  output.copy("ab");
  const Output::Mark mark = output.mark();
  output.copy("cdef");
  ASSERT_NE(output.revise(mark), nullptr);
  std::memcpy(output.revise(mark), "CD", 2);
  output.drop_tail(1);
  output.consume(2);
  EXPECT_NE(output.revise(mark), nullptr);
  EXPECT_EQ(drain(output), "CDe");
  EXPECT_EQ(output.revise(mark), nullptr);
  output.copy("later");
  EXPECT_EQ(output.revise(mark), nullptr);
}

TEST(Output, PartlyConsumedBytesCannotBeRevised) {
  Output output;
  const Output::Mark mark = output.mark();
  output.copy("header");
  output.consume(1);
  EXPECT_EQ(output.revise(mark), nullptr);
}

TEST(Output, ReleaseKeepsWhatIsWaiting) {
  Output output;
  output.copy("waiting");
  output.release();
  EXPECT_EQ(drain(output), "waiting");
  output.release();
  EXPECT_TRUE(output.empty());
}

// A peer that reads more slowly than we write must not make the consumed part pile up.
TEST(Output, InterleavedWritingAndConsumingYieldsEveryByteOnce) {
  std::mt19937 random(7);
  Output output;
  std::string expected;
  std::string taken;
  const std::string block(5000, 'r');
  for (int i = 0; i < 3000; ++i) {
    const std::string text = std::to_string(i) + ",";
    output.copy(text);
    expected += text;
    if (random() % 3 == 0) {
      output.refer(as_bytes(block));
      expected += block;
    }
    if (random() % 50 == 0) output.settle();
    std::array<Bytes, 3> pieces;
    std::size_t left = random() % 3000;
    std::size_t step = 0;
    const std::size_t filled = output.gather(pieces);
    for (std::size_t k = 0; k < filled; ++k) {
      const Bytes piece = pieces[k].first(std::min(left, pieces[k].size()));
      taken += as_text(piece);
      left -= piece.size();
      step += piece.size();
    }
    output.consume(step);
  }
  taken += drain(output);
  EXPECT_EQ(taken, expected);
}

}  // namespace
}  // namespace viaduct::protocol
