#include <gtest/gtest.h>

#include "daemon/log/log.hpp"

namespace viaduct::daemon::log {
namespace {

TEST(LogFormatTest, TextAppendsAttributes) {
  EXPECT_EQ(format_text("worker ended", {{"app", "shop"}, {"pid", 812}, {"ready", true}}),
            "worker ended app=shop pid=812 ready=true");
}

TEST(LogFormatTest, TextQuotesWhatWouldBeAmbiguous) {
  EXPECT_EQ(format_text("m", {{"a", ""}, {"b", "x y"}, {"c", "k=v"}, {"d", "say \"hi\""}}),
            "m a=\"\" b=\"x y\" c=\"k=v\" d=\"say \\\"hi\\\"\"");
}

// A reader of the JSON gets them back, a terminal that shows it does not.
TEST(LogFormatTest, NothingCommandsATerminalInEitherFormat) {
  const std::string_view hostile = "\x1b[2J\x7f\xc2\x9b\xe2\x80\xa8\xc3\xa4";
  EXPECT_EQ(format_json_members(hostile, {{"peer", hostile}}),
            "\"message\":\"\\u001b[2J\\u007f\\u009b\\u2028\xc3\xa4\","
            "\"peer\":\"\\u001b[2J\\u007f\\u009b\\u2028\xc3\xa4\"");
  EXPECT_EQ(format_text(hostile, {}), "\\x1b[2J\\x7f\\xc2\\x9b\\xe2\\x80\\xa8\xc3\xa4");
}

TEST(LogFormatTest, NobodyForgesALine) {
  const std::string line = format_text("a\nb", {{"peer", "x\n2026 error forged"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line, "a\\nb peer=\"x\\n2026 error forged\"");
}

TEST(LogFormatTest, JsonMembersAreEscaped) {
  EXPECT_EQ(format_json_members("say \"hi\"\n", {{"peer", "\xFF"}, {"n", -3}, {"ok", false}}),
            "\"message\":\"say \\\"hi\\\"\\n\",\"peer\":\"\\\\xff\",\"n\":-3,\"ok\":false");
}

TEST(LogFormatTest, NumbersOfEveryWidthAreExact) {
  EXPECT_EQ(format_text("n", {{"u", UINT64_MAX}, {"i", INT64_MIN}}),
            "n u=18446744073709551615 i=-9223372036854775808");
}

}  // namespace
}  // namespace viaduct::daemon::log
