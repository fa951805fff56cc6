#include "protocol/http/head_reader.hpp"

#include <string>

#include <gtest/gtest.h>

namespace viaduct::protocol::http {
namespace {

// What came of `bytes`, whole and byte by byte, which must be the same.
std::string read(std::string_view bytes, std::uint64_t limit = 1000) {
  const auto describe_reader = [](const HeadReader& reader, std::size_t taken) {
    if (reader.error() != Errc::ok) {
      return std::string(describe(reader.error())) + " at " + std::to_string(taken);
    }
    return std::string(reader.text()) + (reader.done() ? "|" + std::to_string(taken) : "...");
  };
  HeadReader whole(limit);
  const std::size_t taken = whole.feed(bytes);
  HeadReader pieces(limit);
  std::size_t sum = 0;
  while (sum < bytes.size() && !pieces.done() && pieces.error() == Errc::ok) {
    sum += pieces.feed(bytes.substr(sum, 1));
  }
  EXPECT_EQ(describe_reader(whole, taken), describe_reader(pieces, sum));
  return describe_reader(whole, taken);
}

TEST(HeadReader, EndsBehindTheBlankLine) {
  EXPECT_EQ(read("GET / HTTP/1.1\r\nA: b\r\n\r\nbody"), "GET / HTTP/1.1\r\nA: b\r\n\r\n|24");
  EXPECT_EQ(read("G\r\n\r\n"), "G\r\n\r\n|5");
  EXPECT_EQ(read("GET / HTTP/1.1\r\nA: b\r\n"), "GET / HTTP/1.1\r\nA: b\r\n...");
}

TEST(HeadReader, BlankLinesInFrontAreSkipped) {
  EXPECT_EQ(read("\r\n\r\nG\r\n\r\n"), "G\r\n\r\n|9");
  HeadReader reader(100);
  reader.feed("\r\n");
  EXPECT_TRUE(reader.empty());
  reader.feed("\r");
  EXPECT_FALSE(reader.empty());
}

TEST(HeadReader, LineEndsThatAreCutInHalf) {
  const std::string wrong = describe(Errc::bare_line_end);
  EXPECT_EQ(read("GET / HTTP/1.1\nA: b"), wrong + " at 15");
  EXPECT_EQ(read("GET / HTTP/1.1\rA: b"), wrong + " at 16");
  EXPECT_EQ(read("G\r\nA: b\r\r\n"), wrong + " at 9");
  EXPECT_EQ(read("G\r\nA: b\r\n\nX"), wrong + " at 10");
  EXPECT_EQ(read("G\r\nA: b\r\n\rX"), wrong + " at 11");
  EXPECT_EQ(read(std::string_view("G\r\nA: \0", 7)), wrong + " at 7");
  EXPECT_EQ(read("\nG"), wrong + " at 1");
}

TEST(HeadReader, FoldedLines) {
  const std::string wrong = describe(Errc::bad_field_line);
  EXPECT_EQ(read("G\r\nA: b\r\n c\r\n\r\n"), wrong + " at 10");
  EXPECT_EQ(read("G\r\n\tA: b\r\n\r\n"), wrong + " at 4");
}

TEST(HeadReader, LimitHoldsForTheWholeHead) {
  const std::string head = "GET / HTTP/1.1\r\nA: b\r\n\r\n";
  EXPECT_EQ(read(head, head.size()), head + "|24");
  EXPECT_EQ(read(head, head.size() + 1), head + "|24");
  EXPECT_EQ(read(head, head.size() - 1), std::string(describe(Errc::params_too_large)) + " at 24");
  EXPECT_EQ(read("G", 0), std::string(describe(Errc::params_too_large)) + " at 1");
}

TEST(HeadReader, ServesAnotherHead) {
  HeadReader reader(100);
  reader.feed("G\r\n x");
  EXPECT_NE(reader.error(), Errc::ok);
  reader.reset();
  EXPECT_TRUE(reader.empty());
  EXPECT_EQ(reader.feed("H\r\n\r\nI"), 5U);
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(reader.text(), "H\r\n\r\n");
}

}  // namespace
}  // namespace viaduct::protocol::http
