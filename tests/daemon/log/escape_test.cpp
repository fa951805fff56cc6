#include "daemon/log/escape.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::log {
namespace {

TEST(EscapeTest, ValidTextIsKept) {
  for (const char* text :
       {"", "plain", "Grüße", "日本語", "\xF0\x9F\x98\x80", "\"quoted\" 100 %"}) {
    EXPECT_EQ(escape(text), text);
  }
}

TEST(EscapeTest, ControlCharactersBecomeVisible) {
  EXPECT_EQ(escape("a\nb\rc\td\\e"), "a\\nb\\rc\\td\\\\e");
  EXPECT_EQ(escape(std::string_view("\0\x1b[31m\x7f", 7)), "\\x00\\x1b[31m\\x7f");
  EXPECT_EQ(escape("\xC2\x85"), "\\xc2\\x85") << "C1 next line";
  EXPECT_EQ(escape("\xE2\x80\xA8"), "\\xe2\\x80\\xa8") << "line separator";
}

TEST(EscapeTest, BytesThatAreNoUtf8BecomeHex) {
  struct Case {
    const char* bytes;
    const char* escaped;
  };
  const Case cases[] = {
      {"\xFF", "\\xff"},
      {"\x80", "\\x80"},
      {"\xC3", "\\xc3"},
      {"\xC0\xAF", "\\xc0\\xaf"},           // overlong
      {"\xE2\x82", "\\xe2\\x82"},           // cut
      {"\xED\xA0\x80", "\\xed\\xa0\\x80"},  // surrogate
      {"\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
      {"a\xFFz", "a\\xffz"},
  };
  for (const Case& c : cases) EXPECT_EQ(escape(c.bytes), c.escaped);
}

TEST(EscapeTest, JsonKeepsControlCharactersForItsWriter) {
  EXPECT_EQ(escape_invalid_utf8("a\n\xFF"), "a\n\\xff");
}

TEST(EscapeTest, TextThatWasEscapedStaysAsItIs) {
  for (const std::string_view bytes :
       {"plain", "a\\b", "\x1b[2J", "\xff\xc2\x9b", "tab\tline\n", "caf\xc3\xa9"}) {
    EXPECT_EQ(escape_controls(escape(bytes)), escape(bytes));
  }
  EXPECT_EQ(escape_controls("\x1b\\x1b\xc2\x9b"), "\\x1b\\x1b\\xc2\\x9b");
}

}  // namespace
}  // namespace viaduct::daemon::log
