#include "protocol/fastcgi/record_writer.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/fastcgi_records.hpp"
#include "tests/support/trace.hpp"

namespace viaduct::protocol::fastcgi {
namespace {

using test::drain;
using test::padded_record;
using test::show;

std::string sent(RecordWriter& writer) {
  return show(drain(writer.output(), 70000));
}

TEST(RecordWriter, PadsToEightBytes) {
  RecordWriter writer;
  writer.stream(FCGI_STDOUT, 1, as_bytes("hello"));
  writer.stream_end(FCGI_STDOUT, 1);
  EXPECT_EQ(sent(writer), show(padded_record(6, 1, "hello") + test::record(6, 1, "")));
}

TEST(RecordWriter, LengthensTheLastRecordOfTheSameStream) {
  RecordWriter writer;
  const std::string large(5000, 'x');
  writer.stream(FCGI_STDOUT, 1, as_bytes("head"));
  writer.stream(FCGI_STDOUT, 1, as_bytes("body"));
  writer.stream(FCGI_STDOUT, 1, as_bytes(large));
  writer.stream(FCGI_STDOUT, 1, as_bytes("tail"));
  EXPECT_EQ(sent(writer), show(padded_record(6, 1, "headbody" + large + "tail")));
}

TEST(RecordWriter, BeginsANewRecordForAnotherStreamOrRequest) {
  RecordWriter writer;
  writer.stream(FCGI_STDOUT, 1, as_bytes("a"));
  writer.stream(FCGI_STDOUT, 2, as_bytes("b"));
  writer.stream(FCGI_STDERR, 2, as_bytes("c"));
  writer.abort(9);
  writer.stream(FCGI_STDERR, 2, as_bytes("d"));
  EXPECT_EQ(sent(writer),
            show(padded_record(6, 1, "a") + padded_record(6, 2, "b") + padded_record(7, 2, "c") +
                 test::abort_record(9) + padded_record(7, 2, "d")));
}

TEST(RecordWriter, LeavesARecordAloneThatHasBegunToLeave) {
  for (std::size_t sent = 1; sent <= 16; ++sent) {
    RecordWriter writer;
    writer.stream(FCGI_STDOUT, 1, as_bytes("12345"));
    std::string bytes(padded_record(6, 1, "12345").substr(0, sent));
    writer.output().consume(sent);
    writer.stream(FCGI_STDOUT, 1, as_bytes("more"));
    EXPECT_EQ(bytes + drain(writer.output()),
              padded_record(6, 1, "12345") + padded_record(6, 1, "more"))
        << sent;
  }
}

TEST(RecordWriter, LengthensAfterBorrowedMemoryWasSettled) {
  RecordWriter writer;
  const std::string large(5000, 'x');
  writer.stream(FCGI_STDOUT, 1, as_bytes(large));
  writer.output().settle();
  writer.stream(FCGI_STDOUT, 1, as_bytes("more"));
  // Whether it is one record or two is free; the stream is the same.
  EXPECT_EQ(sent(writer), show(padded_record(6, 1, large) + padded_record(6, 1, "more")));
}

TEST(RecordWriter, SplitsLongContent) {
  for (const std::size_t size : {65527, 65528, 65529, 65535, 65536, 99000, 131056, 131057}) {
    RecordWriter writer;
    const std::string content(size, 'x');
    std::string expected;
    for (std::size_t at = 0; at < size; at += 65528) {
      expected += padded_record(6, 1, content.substr(at, 65528));
    }
    writer.stream(FCGI_STDOUT, 1, as_bytes(content));
    EXPECT_EQ(sent(writer), show(expected)) << size;
  }
}

TEST(RecordWriter, LengthenedRecordsStopAtThePreferredLength) {
  RecordWriter writer;
  const std::string content(65000, 'x');
  writer.stream(FCGI_STDOUT, 1, as_bytes(content));
  writer.stream(FCGI_STDOUT, 1, as_bytes(content));
  const std::string both = content + content;
  EXPECT_EQ(sent(writer), show(padded_record(6, 1, both.substr(0, 65528)) +
                               padded_record(6, 1, both.substr(65528))));
}

TEST(RecordWriter, ControlRecords) {
  RecordWriter writer;
  writer.begin(0x0102, Role::filter, true);
  writer.end(3, 0x01020304, ProtocolStatus::overloaded);
  writer.unknown_type(200);
  writer.credit(4, 0x0a0b0c0d);
  writer.broken();
  std::string bytes = drain(writer.output());
  EXPECT_EQ(bytes, std::string("\1\1\1\2\0\10\0\0\0\3\1\0\0\0\0\0", 16) +
                       std::string("\1\3\0\3\0\10\0\0\1\2\3\4\2\0\0\0", 16) +
                       std::string("\1\13\0\0\0\10\0\0\310\0\0\0\0\0\0\0", 16) +
                       std::string("\1\200\0\4\0\4\4\0\12\13\14\15\0\0\0\0", 16) +
                       std::string("\0\0\0\1\0\0\0\0", 8));
}

TEST(RecordWriter, TraceIsOneRecord) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, kMaxTrace - 1, kMaxTrace}) {
    RecordWriter writer;
    const std::string text(size, 't');
    writer.trace(1, text);
    EXPECT_EQ(sent(writer), show(padded_record(129, 1, text)));
  }
  RecordWriter writer;
  writer.trace(1, std::string(kMaxTrace + 1, 't'));
  EXPECT_EQ(sent(writer), show(padded_record(129, 1, std::string(kMaxTrace, 't'))));
}

// php-fpm and uWSGI refuse pairs that cross records.
TEST(RecordWriter, NoPairCrossesARecordThatCouldHoldIt) {
  Pairs pairs;
  const std::string value(30000, 'v');
  for (const char* name : {"A", "B", "C"}) pairs.add(name, value);
  RecordWriter writer;
  writer.pairs(FCGI_PARAMS, 1, pairs);
  EXPECT_EQ(sent(writer), show(padded_record(4, 1, test::pairs({{"A", value}, {"B", value}})) +
                               padded_record(4, 1, test::pairs({{"C", value}}))));
}

TEST(RecordWriter, PairsAtTheLengthOfARecord) {
  // One byte of name, five of lengths.
  for (const std::size_t content : {65527, 65528, 65529, 65534, 65535}) {
    Pairs pairs;
    const std::string value(content - 6, 'v');
    pairs.add("S", "1");
    pairs.add("A", value);
    pairs.add("T", "2");
    RecordWriter writer;
    writer.pairs(FCGI_PARAMS, 1, pairs);
    EXPECT_EQ(sent(writer), show(padded_record(4, 1, test::pair("S", "1")) +
                                 padded_record(4, 1, test::pair("A", value)) +
                                 padded_record(4, 1, test::pair("T", "2"))))
        << content;
  }
}

TEST(RecordWriter, PairsLongerThanARecordAreSplit) {
  Pairs pairs;
  const std::string value(65530, 'v');
  pairs.add("S", "1");
  pairs.add("A", value);
  RecordWriter writer;
  writer.pairs(FCGI_PARAMS, 1, pairs);
  const std::string stream = test::pair("A", value);
  ASSERT_EQ(stream.size(), 65536u);
  EXPECT_EQ(sent(writer), show(padded_record(4, 1, test::pair("S", "1")) +
                               padded_record(4, 1, stream.substr(0, 65528)) +
                               padded_record(4, 1, stream.substr(65528))));
}

}  // namespace
}  // namespace viaduct::protocol::fastcgi
