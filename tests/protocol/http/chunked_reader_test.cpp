#include "protocol/http/chunked_reader.hpp"

#include <string>

#include <gtest/gtest.h>

namespace viaduct::protocol::http {
namespace {

std::string read_in(std::string_view bytes, std::size_t step) {
  ChunkedReader reader;
  std::string content;
  std::size_t taken = 0;
  while (taken < bytes.size() && !reader.done() && reader.error() == Errc::ok) {
    const ChunkedReader::Piece piece = reader.feed(bytes.substr(taken, step));
    EXPECT_GT(piece.taken, 0U);
    taken += piece.taken;
    content += piece.content;
  }
  if (reader.error() != Errc::ok) return content + "! at " + std::to_string(taken);
  return content + (reader.done() ? "|" + std::to_string(taken) : "...");
}

// The same whatever the size of the pieces.
std::string read(std::string_view bytes) {
  const std::string whole = read_in(bytes, bytes.size());
  for (std::size_t step = 1; step < bytes.size() && step < 40; ++step) {
    EXPECT_EQ(read_in(bytes, step), whole) << "in pieces of " << step;
  }
  return whole;
}

TEST(ChunkedReader, Bodies) {
  EXPECT_EQ(read("0\r\n\r\nmore"), "|5");
  EXPECT_EQ(read("5\r\nhello\r\n0\r\n\r\n"), "hello|15");
  EXPECT_EQ(read("1\r\na\r\n00a\r\n0123456789\r\n000\r\n\r\n"), "a0123456789|30");
  EXPECT_EQ(read("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), "01234567890123456789|35");
  EXPECT_EQ(read("5\r\nhel"), "hel...");
  EXPECT_EQ(read("5\r\nhello\r\n0\r\n"), "hello...");
}

TEST(ChunkedReader, ExtensionsAndTrailersAreSkipped) {
  EXPECT_EQ(read("5;a=b;c=\"d\"\r\nhello\r\n0;x\r\nA: b\r\nContent-Length: 9\r\n\r\n"), "hello|52");
}

TEST(ChunkedReader, Malformed) {
  EXPECT_EQ(read("\r\n"), "! at 1");
  EXPECT_EQ(read("x\r\n"), "! at 1");
  EXPECT_EQ(read("-1\r\n"), "! at 1");
  EXPECT_EQ(read("0x5\r\n"), "! at 2");
  EXPECT_EQ(read("5 \r\n"), "! at 2");
  EXPECT_EQ(read("5\nhello"), "! at 2");
  EXPECT_EQ(read("5\r\rhello"), "! at 3");
  EXPECT_EQ(read("5;a\nhello"), "! at 4");
  EXPECT_EQ(read("5\r\nhello0\r\n"), "hello! at 9");
  EXPECT_EQ(read("5\r\nhello\n0\r\n"), "hello! at 9");
  EXPECT_EQ(read("5\r\nhello\r\r\n"), "hello! at 10");
  EXPECT_EQ(read("0\r\nA: b\n\r\n"), "! at 8");
  EXPECT_EQ(read("0\r\n\rx"), "! at 5");
  EXPECT_EQ(read(std::string_view("5;\0\r\n", 5)), "! at 3");
}

TEST(ChunkedReader, TrailerLinesAreFieldLines) {
  EXPECT_EQ(read("0\r\nA:\r\nB!: x y\r\n\r\nmore"), "|18");
  EXPECT_EQ(read("0\r\nGET / HTTP/1.1\r\n\r\n"), "! at 7");
  EXPECT_EQ(read("0\r\nA\r\n\r\n"), "! at 5");
  EXPECT_EQ(read("0\r\n: b\r\n\r\n"), "! at 4");
  EXPECT_EQ(read("0\r\nA: b\r\n c\r\n\r\n"), "! at 10");
}

TEST(ChunkedReader, SizesOf64Bits) {
  EXPECT_EQ(read("ffffffffffffffff\r\nx"), "x...");
  EXPECT_EQ(read("10000000000000000\r\nx"), "! at 17");
  EXPECT_EQ(read("00000000000000001\r\nx"), "! at 17");
}

TEST(ChunkedReader, ExtensionsAndTrailersAreLimited) {
  const std::string most(4096, 'e');
  // The semicolon is not counted.
  EXPECT_EQ(read("1;" + most + "\r\nx\r\n1;" + most + "\r\ny\r\n0\r\n\r\n"), "xy|8211");
  EXPECT_EQ(read("1;" + most + "e\r\nx"), "! at 4099");
  const std::string field = "e:" + most.substr(2);
  EXPECT_EQ(read("0\r\n" + field + "\r\n\r\n"), "|4103");
  EXPECT_EQ(read("0\r\n" + field + "\r\ne\r\n\r\n"), "! at 4102");
}

}  // namespace
}  // namespace viaduct::protocol::http
