#include "protocol/pairs.hpp"

#include <string>

#include <gtest/gtest.h>

namespace viaduct::protocol {
namespace {

std::string text(const Pairs& pairs) {
  std::string text;
  for (const auto [name, value] : pairs) {
    text.append(name).append("=").append(value).append(";");
  }
  return text;
}

Pairs sample() {
  Pairs pairs;
  pairs.add("A", "1");
  pairs.add("b", "two");
  pairs.add("A", "");
  return pairs;
}

TEST(Pairs, KeepOrderAndRepetitions) {
  const Pairs pairs = sample();
  EXPECT_EQ(text(pairs), "A=1;b=two;A=;");
  EXPECT_EQ(pairs.size(), 3u);
  EXPECT_EQ(pairs.bytes(), 7u);
}

TEST(Pairs, GetFindsTheFirstOfAName) {
  const Pairs pairs = sample();
  EXPECT_EQ(pairs.get("A"), "1");
  EXPECT_EQ(pairs.get("a"), std::nullopt);
  EXPECT_EQ(pairs.find_nocase("a"), "1");
  EXPECT_EQ(pairs.find_nocase("B"), "two");
  EXPECT_EQ(pairs.find_nocase("C"), std::nullopt);
}

TEST(Pairs, SetReplacesTheFirstOrAdds) {
  Pairs pairs = sample();
  pairs.set("b", "2");
  pairs.set("A", "a longer value");
  pairs.set("new", "x");
  EXPECT_EQ(text(pairs), "A=a longer value;b=2;A=;new=x;");
  EXPECT_EQ(pairs.bytes(), 22u);
}

TEST(Pairs, EraseRemovesEveryOneOfAName) {
  Pairs pairs = sample();
  EXPECT_TRUE(pairs.erase("A"));
  EXPECT_FALSE(pairs.erase("A"));
  EXPECT_EQ(text(pairs), "b=two;");
  EXPECT_EQ(pairs.bytes(), 4u);
}

TEST(Pairs, ClearForgetsAll) {
  Pairs pairs = sample();
  pairs.clear();
  EXPECT_TRUE(pairs.empty());
  EXPECT_EQ(pairs.bytes(), 0u);
  pairs.add("x", "y");
  EXPECT_EQ(text(pairs), "x=y;");
}

}  // namespace
}  // namespace viaduct::protocol
