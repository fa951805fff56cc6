#include "sdk/src/files/byte_range.hpp"

#include <gtest/gtest.h>

namespace viaduct::detail {
namespace {

using Kind = ByteRange::Kind;

TEST(ByteRange, OneRangeIsCutToTheSize) {
  const struct {
    const char* field;
    std::uint64_t size, first, length;
  } cases[] = {
      {"bytes=0-0", 10, 0, 1},
      {"bytes=0-9", 10, 0, 10},
      {"bytes=0-10", 10, 0, 10},
      {"bytes=9-9", 10, 9, 1},
      {"bytes=3-", 10, 3, 7},
      {"bytes=-3", 10, 7, 3},
      {"bytes=-10", 10, 0, 10},
      {"bytes=-11", 10, 0, 10},
      {"BYTES=1-2", 10, 1, 2},
      {" bytes= 1-2 ", 10, 1, 2},
      {"bytes=5-99999999999999999999999999", 10, 5, 5},
      {"bytes=-99999999999999999999999999", 10, 0, 10},
      {"bytes=18446744073709551614-", ~std::uint64_t{0}, ~std::uint64_t{0} - 1, 1},
  };
  for (const auto& c : cases) {
    const ByteRange range = parse_range(c.field, c.size);
    EXPECT_EQ(range.kind, Kind::part) << c.field;
    EXPECT_EQ(range.first, c.first) << c.field;
    EXPECT_EQ(range.length, c.length) << c.field;
  }
}

TEST(ByteRange, WhatLiesBehindTheEndIsUnsatisfiable) {
  for (const char* field :
       {"bytes=10-", "bytes=10-20", "bytes=99999999999999999999-", "bytes=-0"}) {
    EXPECT_EQ(parse_range(field, 10).kind, Kind::unsatisfiable) << field;
  }
}

TEST(ByteRange, OfNothingIsAllOfIt) {
  for (const char* field : {"bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0", "bytes=5-"}) {
    EXPECT_EQ(parse_range(field, 0).kind, Kind::whole) << field;
  }
}

TEST(ByteRange, EverythingElseIsIgnored) {
  for (const char* field :
       {"", "bytes", "bytes=", "bytes=-", "bytes=2-1", "bytes=a-b", "bytes=1", "bytes=0-1,3-4",
        "bytes=-1-2", "bytes=+1-2", "bytes=0x1-2", "lines=1-2", "bytes=1-2-3", "bytes 0-1"}) {
    EXPECT_EQ(parse_range(field, 10).kind, Kind::whole) << field;
  }
}

}  // namespace
}  // namespace viaduct::detail
