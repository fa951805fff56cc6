#include "daemon/master/line_splitter.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using Lines = std::vector<std::string>;

Lines split(const std::vector<std::string>& chunks, std::size_t limit) {
  LineSplitter splitter(limit);
  Lines lines;
  const auto sink = [&](std::string_view line) { lines.emplace_back(line); };
  for (const std::string& chunk : chunks) splitter.feed(chunk, sink);
  splitter.finish(sink);
  return lines;
}

TEST(LineSplitterTest, CutsAtLineEnds) {
  EXPECT_EQ(split({"one\ntwo\r\n\nlast"}, 100), (Lines{"one", "two", "", "last"}));
  EXPECT_EQ(split({""}, 100), Lines{});
  EXPECT_EQ(split({"\n"}, 100), Lines{""});
  EXPECT_EQ(split({"a\rb\n"}, 100), Lines{"a\rb"});
}

TEST(LineSplitterTest, SplitAnywhereTheLinesAreTheSame) {
  const std::string text = "first\r\n\nabcdefghij\nlonger than ten bytes\nend";
  const Lines whole = split({text}, 10);
  for (std::size_t at = 0; at <= text.size(); ++at) {
    EXPECT_EQ(split({text.substr(0, at), text.substr(at)}, 10), whole) << "split at " << at;
  }
}

TEST(LineSplitterTest, LongLinesComeInPieces) {
  EXPECT_EQ(split({"123456789\n"}, 10), Lines{"123456789"}) << "one below";
  EXPECT_EQ(split({"1234567890\n"}, 10), Lines{"1234567890"}) << "at the limit";
  EXPECT_EQ(split({"1234567890x\n"}, 10), (Lines{"1234567890", "x"})) << "one above";
  EXPECT_EQ(split({std::string(35, 'a')}, 10),
            (Lines{std::string(10, 'a'), std::string(10, 'a'), std::string(10, 'a'), "aaaaa"}));
}

TEST(LineSplitterTest, NextLineAfterALongOneMayBeEmpty) {
  EXPECT_EQ(split({"1234567890x\n\n"}, 10), (Lines{"1234567890", "x", ""}));
}

}  // namespace
}  // namespace viaduct::daemon::master
