#include "daemon/bridge/dispatch/stderr_lines.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using Lines = std::vector<std::string>;

Lines cut(std::string_view text, std::size_t step) {
  Lines lines;
  const auto sink = [&](std::string_view line) { lines.emplace_back(line); };
  StderrLines cutter;
  for (std::size_t at = 0; at < text.size(); at += step) cutter.feed(text.substr(at, step), sink);
  cutter.finish(sink);
  return lines;
}

TEST(StderrLines, CutsAtLineEnds) {
  struct Row {
    const char* text;
    Lines lines;
  };
  for (const Row& row :
       {Row{"", {}}, Row{"one", {"one"}}, Row{"one\n", {"one"}}, Row{"one\ntwo", {"one", "two"}},
        Row{"one\r\ntwo\r\n", {"one", "two"}}, Row{"\n\n\none\n\n", {"one"}},
        Row{"a\rb\n", {"a\rb"}}, Row{"\r\n", {}}, Row{"  indented\n", {"  indented"}}}) {
    for (std::size_t step = 1; step < 8; ++step)
      EXPECT_EQ(cut(row.text, step), row.lines) << row.text;
  }
}

TEST(StderrLines, BreaksLongLines) {
  constexpr std::size_t kMax = StderrLines::kMaxLine;
  struct Row {
    std::size_t length;
    std::vector<std::size_t> sizes;
  };
  for (const Row& row : {Row{kMax - 1, {kMax - 1}}, Row{kMax, {kMax}}, Row{kMax + 1, {kMax, 1}},
                         Row{3 * kMax + 5, {kMax, kMax, kMax, 5}}}) {
    for (const std::size_t step : {std::size_t{1000}, kMax, row.length + 10}) {
      const Lines lines = cut(std::string(row.length, 'x') + "\nnext\n", step);
      ASSERT_EQ(lines.size(), row.sizes.size() + 1) << row.length;
      for (std::size_t i = 0; i < row.sizes.size(); ++i) EXPECT_EQ(lines[i].size(), row.sizes[i]);
      EXPECT_EQ(lines.back(), "next");
    }
  }
}

}  // namespace
}  // namespace viaduct::daemon::bridge
