#include "sdk/src/form/urlencoded.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <viaduct/errors.hpp>
#include <viaduct/values.hpp>

namespace viaduct::detail {
namespace {

using Pairs = UrlencodedParser::Pairs;

// Absent beyond a limit. Cut at every point, which has to make no difference.
std::optional<Pairs> parse(std::string_view text, const UrlencodedLimits& limits = {}) {
  const auto once = [&](std::size_t cut) -> std::optional<Pairs> {
    UrlencodedParser parser(limits);
    if (!parser.feed(text.substr(0, cut)) || !parser.feed(text.substr(cut)) || !parser.finish()) {
      return std::nullopt;
    }
    return std::move(parser.pairs());
  };
  const auto whole = once(text.size());
  for (std::size_t cut = 0; cut < text.size(); ++cut) EXPECT_EQ(once(cut), whole) << cut;
  return whole;
}

TEST(UrlencodedTest, FormAndQueryReadTheSame) {
  const struct {
    const char* text;
    Pairs pairs;
  } rows[] = {
      {"", {}},
      {"a=1", {{"a", "1"}}},
      {"a=1&b=2&a=3", {{"a", "1"}, {"b", "2"}, {"a", "3"}}},
      {"a", {{"a", ""}}},
      {"=", {{"", ""}}},
      {"=v", {{"", "v"}}},
      {"a=b=c", {{"a", "b=c"}}},
      {"&&a=1&&", {{"a", "1"}}},
      {"a;b=1;c=2", {{"a;b", "1;c=2"}}},
      {"a+b=c+d", {{"a b", "c d"}}},
      {"%61%3D=%26%2b+", {{"a=", "&+ "}}},
      {"a=%C3%A9", {{"a", "\xC3\xA9"}}},
      {"a=%", {{"a", "%"}}},
      {"a=%4", {{"a", "%4"}}},
      {"a=%zz%41", {{"a", "%zzA"}}},
      {"a=%%41", {{"a", "%A"}}},
      {"a=%2541", {{"a", "%41"}}},
      {"a=%00b", {{"a", std::string("\0b", 2)}}},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(parse(row.text), row.pairs) << row.text;
    EXPECT_THAT(Values(row.text).items(), ::testing::ElementsAreArray(row.pairs)) << row.text;
  }
}

TEST(UrlencodedTest, PairsAreCounted) {
  const UrlencodedLimits limits{.pairs = 3};
  EXPECT_TRUE(parse("a&b", limits));
  EXPECT_TRUE(parse("a&b&&c&", limits));
  EXPECT_FALSE(parse("a&b&c&d", limits));
  EXPECT_FALSE(parse("a", {.pairs = 0}));
  EXPECT_TRUE(parse("&&", {.pairs = 0}));
}

TEST(UrlencodedTest, NamesAndValuesAreMeasuredDecoded) {
  const UrlencodedLimits limits{.text = 3};
  EXPECT_TRUE(parse("ab=cd", limits));
  EXPECT_TRUE(parse("abc=def", limits));
  EXPECT_TRUE(parse("%61%62%63=%64%65%66", limits));
  EXPECT_FALSE(parse("abcd=1", limits));
  EXPECT_FALSE(parse("a=1234", limits));
  EXPECT_FALSE(parse("a=%31%32%33%34", limits));
  EXPECT_TRUE(parse("a=1", {.text = static_cast<std::size_t>(-1)}));
}

TEST(UrlencodedTest, AnEndlessPairIsNotStored) {
  UrlencodedParser parser({.text = 1000});
  const std::string piece(1000, 'x');
  std::size_t fed = 0;
  while (parser.feed(piece)) fed += piece.size();
  EXPECT_EQ(fed, 6000U);
}

TEST(UrlencodedTest, QueriesHaveALimitOfPairs) {
  const auto query = [](std::size_t pairs) {
    std::string text;
    for (std::size_t i = 0; i < pairs; ++i) text += "a&";
    return text;
  };
  EXPECT_EQ(Values(query(1023)).items().size(), 1023U);
  EXPECT_EQ(Values(query(1024)).items().size(), 1024U);
  try {
    const Values values(query(1025));
    ADD_FAILURE() << values.items().size();
  } catch (const http_error& error) {
    EXPECT_EQ(error.status, 400);
  }
  EXPECT_THROW(Values("a&b", 1), http_error);
}

}  // namespace
}  // namespace viaduct::detail
