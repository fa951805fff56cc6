#include "tests/bench/answer_reader.hpp"

#include <fastcgi.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::bench {
namespace {

constexpr std::string_view kRight = "Status: 200\r\n\r\nhello";

std::string record(int type, unsigned id, std::string_view content, std::size_t padding = 0) {
  std::string out;
  for (const std::size_t byte : {std::size_t{FCGI_VERSION_1}, static_cast<std::size_t>(type),
                                 std::size_t{id >> 8}, std::size_t{id & 0xff}, content.size() >> 8,
                                 content.size() & 0xff, padding, std::size_t{0}}) {
    out.push_back(static_cast<char>(byte));
  }
  return out.append(content).append(padding, 'p');
}

std::string end(unsigned id, char app_status = 0, char protocol_status = 0) {
  const std::string body{0, 0, 0, app_status, protocol_status, 0, 0, 0};
  return record(FCGI_END_REQUEST, id, body);
}

/// "2+" per finished request: its id, and whether it was right.
std::string summary(const std::vector<AnswerReader::Finished>& finished) {
  std::string out;
  for (const auto& one : finished) out += std::to_string(one.id) + (one.right ? "+" : "-");
  return out;
}

std::string read_all(std::string_view bytes) {
  AnswerCheck check(200, "hello");
  AnswerReader reader(check, 3);
  std::vector<AnswerReader::Finished> finished;
  const bool ok = reader.feed(bytes, finished);
  return summary(finished) + (ok ? "" : "!");
}

TEST(AnswerReader, AnswerMayBeCutAnywhere) {
  const std::string bytes = record(FCGI_STDOUT, 1, kRight.substr(0, 5), 3) +
                            record(FCGI_STDERR, 1, "complaint") +
                            record(FCGI_STDOUT, 1, kRight.substr(5)) + record(FCGI_STDOUT, 1, "") +
                            end(1) + record(FCGI_STDOUT, 1, kRight, 255) + end(1);
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    for (std::size_t second = first; second <= bytes.size(); ++second) {
      AnswerCheck check(200, "hello");
      AnswerReader reader(check, 1);
      std::vector<AnswerReader::Finished> finished;
      const std::string_view all = bytes;
      EXPECT_TRUE(reader.feed(all.substr(0, first), finished));
      EXPECT_TRUE(reader.feed(all.substr(first, second - first), finished));
      EXPECT_TRUE(reader.feed(all.substr(second), finished));
      ASSERT_EQ(summary(finished), "1+1+") << first << ", " << second;
    }
  }
}

TEST(AnswerReader, InterleavedAnswersAreKeptApart) {
  EXPECT_EQ(read_all(record(FCGI_STDOUT, 2, kRight.substr(0, 9)) +
                     record(FCGI_STDOUT, 1, kRight.substr(0, 4)) +
                     record(FCGI_STDOUT, 2, kRight.substr(9)) + end(2) +
                     record(FCGI_STDOUT, 1, kRight.substr(4)) + end(1)),
            "2+1+");
}

TEST(AnswerReader, WrongOutputIsReported) {
  EXPECT_EQ(read_all(record(FCGI_STDOUT, 1, "Status: 200\r\n\r\nhellO") + end(1)), "1-");
  EXPECT_EQ(read_all(end(1)), "1-");
}

TEST(AnswerReader, EndWithAnotherStatusIsWrong) {
  EXPECT_EQ(read_all(record(FCGI_STDOUT, 1, kRight) + end(1, 1)), "1-");
  EXPECT_EQ(read_all(record(FCGI_STDOUT, 1, kRight) + end(1, 0, FCGI_OVERLOADED)), "1-");
}

TEST(AnswerReader, OverlongOutputIsWrongAndNotKept) {
  const std::string piece(FCGI_MAX_LENGTH, 'x');
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += record(FCGI_STDOUT, 1, piece);
  EXPECT_EQ(read_all(bytes + end(1) + record(FCGI_STDOUT, 1, kRight) + end(1)), "1-1+");
}

TEST(AnswerReader, ForeignRecordsBreakTheConnection) {
  EXPECT_EQ(read_all(record(FCGI_STDOUT, 4, kRight)), "!") << "id beyond those in use";
  EXPECT_EQ(read_all(record(FCGI_GET_VALUES_RESULT, 0, "")), "!") << "nothing was asked";
  EXPECT_EQ(read_all(record(FCGI_STDIN, 1, "")), "!") << "not an application's record";
  EXPECT_EQ(read_all(end(1) + "\x02" + std::string(7, '\0')), "1-!") << "other version";
  EXPECT_EQ(read_all(record(FCGI_END_REQUEST, 1, "short")), "!");
}

TEST(AnswerReader, ResetForgetsAHalfReadAnswer) {
  AnswerCheck check(200, "hello");
  AnswerReader reader(check, 1);
  std::vector<AnswerReader::Finished> finished;
  EXPECT_TRUE(reader.feed(record(FCGI_STDOUT, 1, "junk") + "\x01", finished));
  reader.reset();
  EXPECT_TRUE(reader.feed(record(FCGI_STDOUT, 1, kRight) + end(1), finished));
  EXPECT_EQ(summary(finished), "1+");
}

}  // namespace
}  // namespace viaduct::bench
