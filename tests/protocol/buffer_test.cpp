#include "protocol/buffer.hpp"

#include <string>

#include <gtest/gtest.h>

#include "protocol/output.hpp"

namespace viaduct::protocol {
namespace {

std::string text(const Buffer& buffer) {
  return std::string(as_text(buffer.view(0, buffer.size())));
}

TEST(Buffer, GrowsAtItsEndAndKeepsWhatItHas) {
  Buffer buffer;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string piece = std::to_string(i);
    buffer.append(as_bytes(piece));
    expected += piece;
  }
  EXPECT_EQ(text(buffer), expected);
  const std::string large(100'000, 'L');
  buffer.append(as_bytes(large));
  EXPECT_EQ(text(buffer), expected + large);
}

TEST(Buffer, KeepsWhatItHasBeyondTheSizeOfMappings) {
  Buffer buffer;
  std::string expected;
  while (expected.size() < 20 * Buffer::kMapped) {
    const std::string piece(buffer.size() / 3 + 1, static_cast<char>('a' + expected.size() % 26));
    buffer.append(as_bytes(piece));
    expected += piece;
    ASSERT_EQ(text(buffer), expected) << expected.size();
    ASSERT_GE(buffer.capacity(), buffer.size());
  }
  Buffer other;
  other.append(as_bytes("small"));
  buffer.swap(other);
  EXPECT_EQ(text(buffer), "small");
  EXPECT_EQ(text(other), expected);
  other.release();
  EXPECT_EQ(other.capacity(), 0u);
  other.append(as_bytes(expected));
  EXPECT_EQ(text(other), expected) << "mapped at once";
  other = std::move(buffer);
  EXPECT_EQ(text(other), "small");
}

TEST(Buffer, ExtendedBytesAreTheCallers) {
  Buffer buffer;
  buffer.append(as_bytes("ab"));
  std::memcpy(buffer.extend(2), "cd", 2);
  EXPECT_EQ(text(buffer), "abcd");
}

TEST(Buffer, DropsAtBothEnds) {
  Buffer buffer;
  buffer.append(as_bytes("0123456789"));
  buffer.drop_front(3);
  buffer.drop_tail(2);
  EXPECT_EQ(text(buffer), "34567");
  buffer.drop_front(5);
  EXPECT_TRUE(buffer.empty());
}

TEST(Buffer, AnEmptyOneCanBeAppendedAndViewed) {
  Buffer buffer;
  buffer.append({});
  EXPECT_TRUE(buffer.empty());
  EXPECT_TRUE(buffer.view(0, 0).empty());
}

TEST(Buffer, MovedFromItIsUsable) {
  Buffer one;
  one.append(as_bytes("one"));
  Buffer two(std::move(one));
  EXPECT_EQ(text(two), "one");
  Buffer three;
  three = std::move(two);
  EXPECT_EQ(text(three), "one");
  three.release();
  EXPECT_TRUE(three.empty());
  three.append(as_bytes("again"));
  EXPECT_EQ(text(three), "again");
}

}  // namespace
}  // namespace viaduct::protocol
