#include "daemon/config/env_file.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::config {
namespace {

TEST(EnvFile, ReadsWhatSystemdReads) {
  struct Case {
    std::string_view text;
    NamedValues values;
  };
  for (const Case& c : std::vector<Case>{
           {"", {}},
           {"\n \n\t\n", {}},
           {"# A=1\n; B=2\n  # C=3\n", {}},
           {"A=1", {{"A", "1"}}},
           {"A=1\nB=2\n", {{"A", "1"}, {"B", "2"}}},
           {"A=1\r\nB=2\r\n", {{"A", "1"}, {"B", "2"}}},
           {"  A = 1  \n", {{"A", "1"}}},
           {"A=\nB=2", {{"A", ""}, {"B", "2"}}},
           {"A=x=y # z\n", {{"A", "x=y # z"}}},
           {"A=one two\t\n", {{"A", "one two"}}},
           {"A=one\\\ntwo\n", {{"A", "onetwo"}}},
           {"A=one\\ \n", {{"A", "one "}}},
           {"A=\\\"x\\\"\n", {{"A", "\"x\""}}},
           {"A=it's\n", {{"A", "it's"}}},
           {"A='one\n two\\'\n", {{"A", "one\n two\\"}}},
           {"A=\"one\ntwo\"\n", {{"A", "one\ntwo"}}},
           {"A=\"a\\\"b\\\\c\\$d\\`e\\f\"\n", {{"A", "a\"b\\c$d`e\\f"}}},
           {"A=\"one\\\ntwo\"\n", {{"A", "onetwo"}}},
           {"A=\"a\" 'b' c\n", {{"A", "abc"}}},
           {"A=\"  \"\n", {{"A", "  "}}},
           {"# comment \\\nA=1\n", {{"A", "1"}}},
           {"A=1\nA=2\n", {{"A", "1"}, {"A", "2"}}},
           {"A=\xff\xfe\n", {{"A", "\xff\xfe"}}},
       }) {
    const auto result = parse_env_file(c.text);
    ASSERT_TRUE(std::holds_alternative<NamedValues>(result))
        << c.text << ": " << std::get<EnvFileProblem>(result).message;
    EXPECT_EQ(std::get<NamedValues>(result), c.values) << c.text;
  }
}

TEST(EnvFile, ProblemsHaveALineAndKeepTheSecret) {
  struct Case {
    std::string text;
    int line;
    std::string message;
  };
  using namespace std::string_literals;
  for (const Case& c : std::vector<Case>{
           {"A=1\nsecret\nB=2\n", 2, "expected NAME=VALUE"},
           {"export", 1, "expected NAME=VALUE"},
           {"=secret\n", 1, "expected the name of an environment variable, without = and blanks"},
           {"export A=secret\n", 1,
            "expected the name of an environment variable, without = and blanks"},
           {"A='secret\n\n", 1, "the quote that begins here is not closed"},
           {"\nA=\"secret\\\"\n", 2, "the quote that begins here is not closed"},
           {"A=\"secret\\", 1, "the quote that begins here is not closed"},
           {"A=secret\0x\n"s, 1, "NUL bytes are not allowed"},
           {"NOTIFY_SOCKET=secret\n", 1, "NOTIFY_SOCKET is reserved for viaductd"},
           {"FDSTORE=1\n", 1, "FDSTORE is reserved for viaductd"},
           {"LISTEN_FDS=secret\n", 1, "LISTEN_FDS is reserved for viaductd"},
       }) {
    const auto result = parse_env_file(c.text);
    ASSERT_TRUE(std::holds_alternative<EnvFileProblem>(result)) << c.text;
    EXPECT_EQ(std::get<EnvFileProblem>(result).line, c.line) << c.text;
    EXPECT_EQ(std::get<EnvFileProblem>(result).message, c.message) << c.text;
  }
}

// Every prefix of a text that uses the whole syntax either parses or is a problem of some line.
TEST(EnvFile, EndsSomewhereWhereverTheTextIsCut) {
  const std::string_view text = "A=\"x\\\"\\\n\" 'y'\\z \\\n\n# c\nB=1\n";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const auto result = parse_env_file(text.substr(0, length));
    if (const auto* problem = std::get_if<EnvFileProblem>(&result)) {
      EXPECT_GE(problem->line, 1) << length;
      EXPECT_FALSE(problem->message.empty()) << length;
    }
  }
  EXPECT_EQ(std::get<NamedValues>(parse_env_file(text)),
            (NamedValues{{"A", "x\"yz "}, {"B", "1"}}));
}

}  // namespace
}  // namespace viaduct::daemon::config
