#include "sdk/src/files/preconditions.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::detail {
namespace {

constexpr const char* kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* kSame = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";
const Validators kCurrent{.etag = "\"a\"", .modified = 784111777};

using Sent = std::vector<std::pair<const char*, const char*>>;

Fields fields(const Sent& sent) {
  Fields fields;
  for (const auto& [name, value] : sent) fields.add(name, value);
  return fields;
}

TEST(Preconditions, FollowTheOrderOfTheRfc) {
  using enum Precondition;
  const struct {
    Sent sent;
    Precondition expected;
  } cases[] = {
      {{}, met},
      {{{"If-None-Match", "\"a\""}}, not_modified},
      {{{"If-None-Match", "W/\"a\""}}, not_modified},
      {{{"If-None-Match", "\"b\""}}, met},
      {{{"If-None-Match", "\"b\", \"a\""}}, not_modified},
      {{{"If-None-Match", "\"b\""}, {"If-None-Match", "\"a\""}}, not_modified},
      {{{"If-None-Match", "*"}}, not_modified},
      {{{"If-None-Match", "a"}}, met},
      {{{"If-None-Match", "\"b,\"a\""}}, met},
      {{{"If-Modified-Since", kBefore}}, met},
      {{{"If-Modified-Since", kSame}}, not_modified},
      {{{"If-Modified-Since", kAfter}}, not_modified},
      {{{"If-Modified-Since", "yesterday"}}, met},
      {{{"If-None-Match", "\"b\""}, {"If-Modified-Since", kAfter}}, met},
      {{{"If-Match", "\"a\""}}, met},
      {{{"If-Match", "W/\"a\""}}, failed},
      {{{"If-Match", "\"b\""}}, failed},
      {{{"If-Match", "*"}}, met},
      {{{"If-Unmodified-Since", kBefore}}, failed},
      {{{"If-Unmodified-Since", kSame}}, met},
      {{{"If-Match", "\"a\""}, {"If-Unmodified-Since", kBefore}}, met},
      {{{"If-Match", "\"a\""}, {"If-None-Match", "\"a\""}}, not_modified},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(evaluate(fields(c.sent), kCurrent), c.expected)
        << (c.sent.empty() ? "" : c.sent[0].second) << c.sent.size();
  }
}

TEST(Preconditions, IfRangeWantsExactlyThisVersion) {
  const std::pair<const char*, bool> cases[] = {
      {"\"a\"", true},  {"W/\"a\"", false}, {"\"b\"", false},    {kSame, true},
      {kBefore, false}, {kAfter, false},    {"nonsense", false}, {"", false}};
  EXPECT_TRUE(range_applies({}, kCurrent));
  for (const auto& [value, expected] : cases) {
    EXPECT_EQ(range_applies(fields({{"If-Range", value}}), kCurrent), expected) << value;
  }
}

TEST(Preconditions, WithoutAnEtagOnlyTheStarNamesIt) {
  EXPECT_TRUE(names_etag(" * ", "", true));
  EXPECT_FALSE(names_etag("\"\"", "", true));
  EXPECT_TRUE(names_etag("\"\"", "\"\"", true));
}

TEST(Preconditions, OnlyOneStarAloneNamesEverything) {
  for (const char* list : {"*", " *", "*\t "})
    EXPECT_TRUE(names_etag(list, "\"a\"", false)) << list;
  for (const char* list : {"**", "* *", "*, \"b\"", "\"b\", *", "\"*\"", "", " "}) {
    EXPECT_FALSE(names_etag(list, "\"a\"", true)) << list;
  }
}

}  // namespace
}  // namespace viaduct::detail
