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
      {"", "a", std::nullopt},     {"a=1", "a", "1"},
      {"a=1; b=2", "b", "2"},      {"a=1;b=2", "b", "2"},
      {"a=1, b=2", "b", "2"},      {"a=1; a=2", "a", "1"},
      {"A=1", "a", std::nullopt},  {"ab=1", "a", std::nullopt},
      {"a", "a", std::nullopt},    {"a=", "a", ""},
      {"a = 1 ", "a", "1"},        {"a=\"1\"", "a", "1"},
      {"a=\"\"", "a", ""},         {"a=\"", "a", "\""},
      {"a=\"1", "a", "\"1"},       {"a=x=y", "a", "x=y"},
      {";;=;a=1", "a", "1"},       {"=1", "", "1"},
      {"a=1", "", std::nullopt},   {"a=%41", "a", "%41"},
      {"\ta=1\t;\tb=2", "b", "2"},
  };
  for (const auto& row : rows) EXPECT_EQ(find_cookie(row.field, row.name), row.value) << row.field;
}

TEST(CookieHeaderTest, ValuesAreViewsOfTheField) {
  const std::string field = "x=" + std::string(100000, 'x') + "; last=\"here\"";
  const auto value = find_cookie(field, "last");
  ASSERT_EQ(value, "here");
  EXPECT_EQ(value->data(), field.data() + field.size() - 5);
}

}  // namespace
}  // namespace viaduct::detail
