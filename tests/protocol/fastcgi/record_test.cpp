#include "protocol/fastcgi/record.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/fastcgi_records.hpp"

namespace viaduct::protocol::fastcgi {
namespace {

using test::record;

// Reads all of `text` in pieces of `step` bytes; one line per record.
std::string read(const std::string& text, std::size_t step) {
  RecordReader reader;
  std::string lines;
  std::string content;
  for (std::size_t at = 0; at < text.size() && reader.error() == Errc::ok; at += step) {
    Bytes bytes = as_bytes(std::string_view(text).substr(at, step));
    while (!bytes.empty() && reader.error() == Errc::ok) {
      RecordPiece piece;
      bool ready = false;
      const std::size_t taken = reader.read(bytes, piece, ready);
      EXPECT_GT(taken, 0u);
      bytes = bytes.subspan(taken);
      if (!ready) continue;
      if (piece.first) content.clear();
      content += as_text(piece.bytes);
      if (!piece.last) continue;
      EXPECT_EQ(content.size(), piece.content);
      lines += std::to_string(piece.type) + "/" + std::to_string(piece.id) + ":" +
               (content.size() > 20 ? std::to_string(content.size()) : content) + " ";
    }
  }
  if (reader.error() != Errc::ok) return lines + describe(reader.error());
  return lines + (reader.at_boundary() ? "." : "...");
}

TEST(RecordReader, ReadsRecordsCutAnywhere) {
  const std::string text = record(4, 1, "abc", 5) + record(4, 1, "") + record(5, 258, "x", 0) +
                           record(6, 65535, "", 255) + record(77, 0, "12345678", 1);
  for (std::size_t step = 1; step <= text.size(); ++step) {
    EXPECT_EQ(read(text, step), "4/1:abc 4/1: 5/258:x 6/65535: 77/0:12345678 .") << step;
  }
}

TEST(RecordReader, LongestRecordWithLongestPadding) {
  const std::string text = record(5, 1, std::string(65535, 'x'), 255) + record(5, 1, "");
  for (const std::size_t step :
       {std::size_t{1}, std::size_t{4096}, std::size_t{65543}, text.size()}) {
    EXPECT_EQ(read(text, step), "5/1:65535 5/1: .") << step;
  }
}

TEST(RecordReader, TruncatedRecordWaitsForMore) {
  const std::string text = record(4, 1, "abc", 5);
  for (std::size_t size = 1; size < text.size(); ++size) {
    const std::string whole = size < 11 ? "..." : "4/1:abc ...";
    EXPECT_EQ(read(text.substr(0, size), size), whole) << size;
  }
}

TEST(RecordReader, OtherVersionsAreErrors) {
  for (const unsigned version : {0u, 2u, 0xffu, static_cast<unsigned>('G')}) {
    const std::string text = record(1, 1, "ok") + record(1, 1, "", 0, version);
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, text.size()}) {
      EXPECT_EQ(read(text, step), "1/1:ok record version is not 1") << version;
    }
  }
}

}  // namespace
}  // namespace viaduct::protocol::fastcgi
