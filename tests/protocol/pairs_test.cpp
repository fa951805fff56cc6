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

std::string encoded(const Pairs& pairs) {
  return std::string(pairs.encoded().value_or("none"));
}

TEST(Pairs, AreEncodedAsANameValueStream) {
  const std::string bytes128(128, 'v');
  Pairs pairs;
  EXPECT_EQ(encoded(pairs), "");
  pairs.add("name", "");
  pairs.add("n", bytes128);
  EXPECT_EQ(encoded(pairs), std::string("\4\0name\1\x80\0\0\x80n", 12) + bytes128);
}

TEST(Pairs, ReplacedByTheSameLengthTheyStayEncoded) {
  Pairs pairs = sample();
  pairs.set("b", "TWO");
  EXPECT_EQ(encoded(pairs), std::string("\1\1A1\1\3bTWO\1\0A", 13));
  EXPECT_EQ(text(pairs), "A=1;b=TWO;A=;");
}

TEST(Pairs, ChangedInLengthTheyAreNot) {
  for (const std::string value : {"", "tw", "longer"}) {
    Pairs pairs = sample();
    pairs.set("b", value);
    EXPECT_EQ(encoded(pairs), "none");
    EXPECT_EQ(text(pairs), "A=1;b=" + value + ";A=;");
    pairs.add("c", "3");
    EXPECT_EQ(text(pairs), "A=1;b=" + value + ";A=;c=3;");
  }
  Pairs pairs = sample();
  pairs.erase("A");
  EXPECT_EQ(encoded(pairs), "none");
  pairs.clear();
  EXPECT_EQ(encoded(pairs), "");
}

TEST(Pairs, AreTakenFromAStreamOneByOne) {
  Pairs pairs;
  pairs.append_stream("\1\1A1\1\1B");
  const PairLengths first = read_lengths(pairs.untaken());
  EXPECT_EQ(pairs.untaken_name(first), "A");
  pairs.take(first);
  EXPECT_EQ(pairs.untaken(), "\1\1B");
  EXPECT_EQ(encoded(pairs), "\1\1A1");
  pairs.append_stream("2\1\1C3");
  pairs.skip(read_lengths(pairs.untaken()));
  pairs.take(read_lengths(pairs.untaken()));
  EXPECT_EQ(pairs.untaken(), "");
  EXPECT_EQ(text(pairs), "A=1;C=3;");
  EXPECT_EQ(pairs.bytes(), 4u);
  EXPECT_EQ(encoded(pairs), "\1\1A1\1\1C3") << "the one left out is out of the stream, too";
}

TEST(Pairs, OnlyTheFirstThatAreLeftOutMoveTheRest) {
  Pairs pairs;
  const auto skip = [&] { pairs.skip(read_lengths(pairs.untaken())); };
  pairs.append_stream("\1\1A1\1\1B2\1\1C3\1\1D4");
  skip();
  skip();
  EXPECT_EQ(pairs.untaken(), "\1\1C3\1\1D4");
  EXPECT_EQ(encoded(pairs), "");
  skip();
  EXPECT_EQ(encoded(pairs), "none") << "it is still in the store";
  pairs.take(read_lengths(pairs.untaken()));
  EXPECT_EQ(text(pairs), "D=4;");
  pairs.clear();
  pairs.append_stream("\1\1A1\1\1B2");
  skip();
  pairs.take(read_lengths(pairs.untaken()));
  EXPECT_EQ(encoded(pairs), "\1\1B2");
}

TEST(Pairs, FindTellsNamesFromValuesAndLengths) {
  using Place = Pairs::Place;
  Pairs pairs;
  EXPECT_EQ(pairs.find('\0'), Place::nowhere);
  pairs.add("A", "");                    // a length of zero
  pairs.add("B", std::string(61, 'x'));  // a length that is '='
  pairs.add("C", std::string(1, 'x'));
  EXPECT_EQ(pairs.find('\0'), Place::nowhere);
  EXPECT_EQ(pairs.find('='), Place::nowhere);
  pairs.add("D", "==");
  EXPECT_EQ(pairs.find('='), Place::value);
  pairs.add("E=", "=");
  EXPECT_EQ(pairs.find('='), Place::name);
  pairs.add("F", std::string("\0", 1));
  EXPECT_EQ(pairs.find('\0'), Place::value);
  pairs.erase("A");  // no longer encoded
  EXPECT_EQ(pairs.find('='), Place::name);
  EXPECT_EQ(pairs.find('\0'), Place::value);
  EXPECT_EQ(pairs.find('\1'), Place::nowhere);
}

TEST(Pairs, ErasePrefixedRemovesAllThatBeginSo) {
  Pairs pairs = sample();
  pairs.add("AB", "2");
  pairs.add("", "nameless");
  pairs.erase_prefixed("A");
  EXPECT_EQ(text(pairs), "b=two;=nameless;");
}

TEST(PairLengths, AnyCutIsIncomplete) {
  const std::string both("\x80\0\1\0\xff\xff\xff\xff", 8);
  for (std::size_t size = 0; size < both.size(); ++size) {
    EXPECT_EQ(read_lengths(std::string_view(both).substr(0, size)).size, 0u) << size;
  }
  const PairLengths lengths = read_lengths(both);
  EXPECT_EQ(lengths.size, 8u);
  EXPECT_EQ(lengths.name, 256u);
  EXPECT_EQ(lengths.value, 0x7fffffffu);
  EXPECT_EQ(lengths.total(), 8u + 256u + 0x7fffffffu);
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
