#include "sdk/src/cookie_header.hpp"

#include <string>

#include <gtest/gtest.h>

namespace viaduct::detail {
namespace {

TEST(CookieHeaderTest, FindsTheFirstOfThatName) {
  const struct {
    const char* field;
    const char* name;
    std::optional<std::string> value;
  } rows[] = {
      {"", "a", std::nullopt},
      {"a=1", "a", "1"},
      {"a=1; b=2", "b", "2"},
      {"a=1;b=2", "b", "2"},
      {"a=1; a=2", "a", "1"},
      {"a=1,b=2", "b", std::nullopt},
      {"a=1, b=2", "a", "1, b=2"},
      {"A=1", "a", std::nullopt},
      {"ab=1", "a", std::nullopt},
      {"a", "a", std::nullopt},
      {"a=", "a", ""},
      {"a = 1 ", "a", "1"},
      {"a=\"1\"", "a", "1"},
      {"a=\"\"", "a", ""},
      {"a=\"", "a", "\""},
      {"a=\"1", "a", "\"1"},
      {"a=x=y", "a", "x=y"},
      {";;=;a=1", "a", "1"},
      {"=1", "", "1"},
      {"a=1", "", std::nullopt},
      {"a=%41", "a", "%41"},
      {"\ta=1\t;\tb=2", "b", "2"},
  };
  for (const auto& row : rows) EXPECT_EQ(find_cookie(row.field, row.name), row.value) << row.field;
}

TEST(CookieHeaderTest, NoValueHoldsAnotherCookie) {
  constexpr const char* kName = "__Host-session";
  const struct {
    const char* field;
    std::optional<std::string> value;
  } rows[] = {
      {"t=x,__Host-session=ATTACKER; __Host-session=VICTIM", "VICTIM"},
      {"t=x, __Host-session=ATTACKER; __Host-session=VICTIM", "VICTIM"},
      {"t=x\t__Host-session=ATTACKER; __Host-session=VICTIM", "VICTIM"},
      {"t=\"x,__Host-session=ATTACKER\"; __Host-session=VICTIM", "VICTIM"},
      {"t==__Host-session=ATTACKER; __Host-session=VICTIM", "VICTIM"},
      {"t=x&__Host-session=ATTACKER; __Host-session=VICTIM", "VICTIM"},
      {",__Host-session=ATTACKER; __Host-session=VICTIM", "VICTIM"},
      {"__host-session=ATTACKER; __Host-session=VICTIM", "VICTIM"},
      {"__Host-session=VICTIM; t=x,__Host-session=ATTACKER", "VICTIM"},
      {"t=x,__Host-session=ATTACKER", std::nullopt},
  };
  for (const auto& row : rows) EXPECT_EQ(find_cookie(row.field, kName), row.value) << row.field;
}

TEST(CookieHeaderTest, QuotesKeepNothingTogether) {
  EXPECT_EQ(find_cookie("a=\"x; b=2\"; c=3", "a"), "\"x");
  EXPECT_EQ(find_cookie("a=\"x; b=2\"; c=3", "b"), "2\"");
  EXPECT_EQ(find_cookie("a=\"x; b=2\"; c=3", "c"), "3");
}

TEST(CookieHeaderTest, ValuesAreViewsOfTheField) {
  const std::string field = "x=" + std::string(100000, 'x') + "; last=\"here\"";
  const auto value = find_cookie(field, "last");
  ASSERT_EQ(value, "here");
  EXPECT_EQ(value->data(), field.data() + field.size() - 5);
}

}  // namespace
}  // namespace viaduct::detail
