#include "daemon/config/scalars.hpp"

#include <csignal>

#include <gtest/gtest.h>

namespace viaduct::daemon::config {
namespace {

using std::chrono::milliseconds;

TEST(Durations, AreAWholeNumberAndAUnit) {
  EXPECT_EQ(parse_duration("0"), milliseconds(0));
  EXPECT_EQ(parse_duration("0s"), milliseconds(0));
  EXPECT_EQ(parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(parse_duration("30s"), milliseconds(30'000));
  EXPECT_EQ(parse_duration("5m"), milliseconds(300'000));
  EXPECT_EQ(parse_duration("2h"), milliseconds(7'200'000));
  EXPECT_EQ(parse_duration("36500d"), milliseconds(3'153'600'000'000));
  for (const char* text : {"", "1", "s", "-1s", "1.5s", "1 s", "1S", "01s", "1m30s", "36501d",
                           "0x1s", "99999999999999999999s", "18446744073709551615ms"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(Sizes, AreBytesOrBinaryMultiples) {
  EXPECT_EQ(parse_size("0"), 0u);
  EXPECT_EQ(parse_size("1000"), 1000u);
  EXPECT_EQ(parse_size("64KiB"), 65'536u);
  EXPECT_EQ(parse_size("16MiB"), 16'777'216u);
  EXPECT_EQ(parse_size("9223372036854775807"), 9'223'372'036'854'775'807u);
  EXPECT_EQ(parse_size("8388607TiB"), 8'388'607ull << 40);
  for (const char* text :
       {"", "KiB", "1KB", "1k", "1 KiB", "-1", "+1", "01", "1.5MiB", "8388608TiB",
        "9223372036854775808", "18446744073709551616", "17179869185GiB"})
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
}

TEST(DurationsAndSizes, ArePrintedInTheLargestUnitThatFits) {
  EXPECT_EQ(format_duration(milliseconds(0)), "0");
  EXPECT_EQ(format_duration(milliseconds(1500)), "1500ms");
  EXPECT_EQ(format_duration(milliseconds(90'000)), "90s");
  EXPECT_EQ(format_duration(milliseconds(86'400'000)), "1d");
  EXPECT_EQ(format_size(0), "0");
  EXPECT_EQ(format_size(1000), "1000");
  EXPECT_EQ(format_size(1536), "1536");
  EXPECT_EQ(format_size(64 << 20), "64MiB");
}

TEST(Modes, AreThreeOrFourOctalDigits) {
  EXPECT_EQ(parse_mode("0660"), 0660u);
  EXPECT_EQ(parse_mode("660"), 0660u);
  EXPECT_EQ(parse_mode("0o660"), 0660u);
  EXPECT_EQ(parse_mode("7777"), 07777u);
  EXPECT_EQ(parse_mode("000"), 0u);
  for (const char* text :
       {"", "0", "66", "00660", "0668", "-660", "0x1b0", "u=rw", "0o", "0o66666"})
    EXPECT_EQ(parse_mode(text), std::nullopt) << text;
  EXPECT_EQ(format_mode(0660), "\"0660\"");
}

TEST(Signals, AreNamedInFull) {
  EXPECT_EQ(parse_stop_signal("SIGQUIT"), SIGQUIT);
  EXPECT_EQ(format_signal(SIGWINCH), "SIGWINCH");
  for (const char* text : {"", "TERM", "sigterm", "SIGSTOP", "SIGSEGV", "15"})
    EXPECT_EQ(parse_stop_signal(text), 0) << text;
}

TEST(YamlQuoting, LeavesPlainTextAloneAndQuotesWhatWouldReadAsSomethingElse) {
  for (const char* text : {"shop", "/srv/shop", "a:b", "unix:/run/web.sock", "x=1", "a_b"})
    EXPECT_EQ(quote_yaml(text), text);
  for (const char* text : {"",   "true", "Off", "null", "12", "-x", "a b", "a, b", "#x", "a: b",
                           "a:", "*x",   "&x",  "!x",   "{",  "[",  "%x",  "@x",   ".5", "a#"})
    EXPECT_EQ(quote_yaml(text), '"' + std::string(text) + '"');
  EXPECT_EQ(quote_yaml("a\"b\\c\n\x7f"), "\"a\\\"b\\\\c\\x0a\\x7f\"");
}

}  // namespace
}  // namespace viaduct::daemon::config
