#include <string>

#include <gmock/gmock.h>
#include <viaduct/html.hpp>
#include <viaduct/values.hpp>
#include <viaduct/viaduct.hpp>

#include "sdk/src/log_output.hpp"

namespace viaduct {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using namespace std::string_literals;

TEST(FieldsTest, NamesCompareWithoutCaseAndKeepTheirOrder) {
  Fields fields;
  fields.add("Set-Cookie", "a").add("X", "1").add("set-cookie", "b");
  EXPECT_EQ(fields.get("SET-COOKIE"), "a");
  EXPECT_THAT(fields.all("Set-Cookie"), ElementsAre("a", "b"));
  fields.set("SET-cookie", "c");
  EXPECT_THAT(fields.items(), ElementsAre(Pair("SET-cookie", "c"), Pair("X", "1")));
  EXPECT_TRUE(fields.erase("x"));
  EXPECT_FALSE(fields.erase("x"));
  EXPECT_FALSE(fields.get("x"));
}

TEST(FieldsTest, ValueMayBeAViewOfWhatItReplaces) {
  Fields fields;
  fields.set("A", std::string(100, 'x'));
  fields.set("A", *fields.get("A"));
  fields.add("B", *fields.get("A"));
  EXPECT_EQ(fields.get("B"), std::string(100, 'x'));
}

TEST(FieldsTest, WhatCannotBeSentThrows) {
  Fields fields;
  for (const std::string& name : {""s, "a b"s, "a:"s, "a\r"s, "a\n"s, "a\0"s, "\xC3\xA9"s}) {
    EXPECT_THROW(fields.set(name, "v"), invalid_header) << name;
    EXPECT_THROW(fields.add(name, "v"), invalid_header) << name;
  }
  for (const std::string& value : {"a\r\nb"s, "\n"s, "\r"s, "a\0b"s, "\x7f"s, "\x01"s}) {
    EXPECT_THROW(fields.set("A", value), invalid_header);
    EXPECT_THROW(fields.add("A", value), invalid_header);
  }
  EXPECT_TRUE(fields.items().empty());
  EXPECT_NO_THROW(fields.set("A", "tab\tand caf\xC3\xA9"));
}

TEST(ValuesTest, DecodesTable) {
  struct {
    const char* query;
    std::vector<std::pair<std::string, std::string>> values;
  } const cases[] = {
      {"", {}},
      {"&&", {}},
      {"a", {{"a", ""}}},
      {"a=", {{"a", ""}}},
      {"=a", {{"", "a"}}},
      {"a=1&a=2&b=3", {{"a", "1"}, {"a", "2"}, {"b", "3"}}},
      {"a=b=c", {{"a", "b=c"}}},
      {"a+b=c+d", {{"a b", "c d"}}},
      {"a%20b=%2B%26%3D", {{"a b", "+&="}}},
      {"a=%zz%4", {{"a", "%zz%4"}}},
      {"a=%C3%A9", {{"a", "\xC3\xA9"}}},
      {"a=%00", {{"a", "\0"s}}},
  };
  for (const auto& c : cases) {
    const Values values(c.query);
    EXPECT_EQ((std::vector<std::pair<std::string, std::string>>(values.items().begin(),
                                                                values.items().end())),
              c.values)
        << c.query;
  }
}

TEST(ValuesTest, FindsByName) {
  const Values values("a=1&b=2&a=3");
  EXPECT_EQ(values.get("a"), "1");
  EXPECT_FALSE(values.get("A"));
  EXPECT_THAT(values.all("a"), ElementsAre("1", "3"));
}

TEST(HtmlTest, EscapesTheFive) {
  EXPECT_EQ(html_escape("<a href=\"x\">'&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(html_escape(""), "");
}

TEST(LogTest, LineStaysOneLine) {
  EXPECT_EQ(detail::one_line("a\nb\r\tc\x1b[31m\0"s), "a\\nb\\x0d\\tc\\x1b[31m\\x00");
  std::string got;
  const detail::LogSink sink = [&](Level, std::string_view line) { got = line; };
  const detail::LogRedirection redirection(sink);
  log(Level::info, "n=", 42, ' ', 1.5, ' ', true, '\n', std::string("end"));
  EXPECT_EQ(got, "n=42 1.5 true\\nend");
}

}  // namespace
}  // namespace viaduct
