#include "sdk/src/form/multipart.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/sdk/form/multipart_trace.hpp"

namespace viaduct::test {
namespace {

using detail::MultipartError;
using detail::MultipartLimits;

// Fed whole, byte by byte, and cut at every point; the traces must be the same.
std::string trace(std::string_view body, const MultipartLimits& limits = {}) {
  const std::string whole = trace_multipart("b", {body}, limits);
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < body.size(); ++i) bytes.push_back(body.substr(i, 1));
  EXPECT_EQ(trace_multipart("b", bytes, limits), whole) << "byte by byte";
  for (std::size_t at = 1; at < body.size(); ++at) {
    EXPECT_EQ(trace_multipart("b", {body.substr(0, at), body.substr(at)}, limits), whole)
        << "cut at " << at;
  }
  return whole;
}

struct Row {
  const char* what;
  std::string body;
  std::string trace;
};

class MultipartTest : public ::testing::TestWithParam<Row> {};

TEST_P(MultipartTest, ReadsTheSameWhereverItIsCut) {
  EXPECT_EQ(trace(GetParam().body), GetParam().trace);
}

std::string row_name(const ::testing::TestParamInfo<Row>& info) {
  return info.param.what;
}

INSTANTIATE_TEST_SUITE_P(
    WellFormed, MultipartTest,
    ::testing::Values(
        Row{"OnePart", "--b\r\nA: 1\r\n\r\ntext\r\n--b--\r\n",
            "part A=1\n'text'\nend of part\nend\n"},
        Row{"TwoParts", "--b\r\nA: 1\r\n\r\nx\r\n--b\r\nB: 2\r\n\r\ny\r\n--b--",
            "part A=1\n'x'\nend of part\npart B=2\n'y'\nend of part\nend\n"},
        Row{"NoParts", "--b--\r\n", "end\n"}, Row{"NothingBehindTheEnd", "--b--", "end\n"},
        Row{"PreambleAndEpilogue",
            "pre\r\namble --b\r\n--b\r\nA: 1\r\n\r\nx\r\n--b--\r\nepilogue\r\n--b\r\n",
            "part A=1\n'x'\nend of part\nend\n"},
        Row{"PreambleThatNearlyMatches", "--a\r\n-\r\n--\r\n--b--", "end\n"},
        Row{"EmptyContent", "--b\r\nA: 1\r\n\r\n\r\n--b--", "part A=1\nend of part\nend\n"},
        Row{"EmptyContentWithoutLine", "--b\r\nA: 1\r\n\r\n--b--", "part A=1\nend of part\nend\n"},
        Row{"NoHeader", "--b\r\n\r\nx\r\n--b--", "part\n'x'\nend of part\nend\n"},
        Row{"PaddingBehindDelimiters", "--b \t\r\nA: 1\r\n\r\nx\r\n--b\t\r\n\r\n\r\n--b--  ",
            "part A=1\n'x'\nend of part\npart\nend of part\nend\n"},
        Row{"ContentOfLineEnds", "--b\r\n\r\n\r\n\r\n\r\r\n\n\r\n--b--",
            "part\n'\\r\\n\\r\\n\\r\\r\\n\\n'\nend of part\nend\n"},
        Row{"ContentThatNearlyMatches", "--b\r\n\r\n\r\n-\r\n--\r\n--a\r--b\n--b\r\n\r\n--b--",
            "part\n'\\r\\n-\\r\\n--\\r\\n--a\\r--b\\n--b\\r\\n'\nend of part\nend\n"},
        Row{"ContentThatBeginsLikeADelimiter", "--b\r\n\r\n--a\r\n--b--",
            "part\n'--a'\nend of part\nend\n"},
        Row{"DelimiterWithinALine", "--b\r\n\r\nx--b\r\n--b--", "part\n'x--b'\nend of part\nend\n"},
        Row{"HeaderValuesAreTrimmed", "--b\r\nA:  1 \t\r\nB:\r\nc-d:e:f\r\n\r\nx\r\n--b--",
            "part A=1 B= c-d=e:f\n'x'\nend of part\nend\n"},
        Row{"FoldedHeader", "--b\r\nA: 1;\r\n  2\r\n\t3\r\nB: 4\r\n\r\nx\r\n--b--",
            "part A=1; 2 3 B=4\n'x'\nend of part\nend\n"},
        Row{"BytesBeyondAscii", "--b\r\nA: \xC3\xA9\r\n\r\n\xFF\x80\r\n--b--",
            "part A=\xC3\xA9\n'\xFF\x80'\nend of part\nend\n"}),
    row_name);

INSTANTIATE_TEST_SUITE_P(
    Malformed, MultipartTest,
    ::testing::Values(
        Row{"Empty", "", "error 3\n"}, Row{"OnlyPreamble", "no delimiter at all\r\n-", "error 3\n"},
        Row{"EndsInPreambleMatch", "\r\n--", "error 3\n"},
        Row{"EndsBehindDelimiter", "--b", "error 3\n"},
        Row{"EndsInClosingDelimiter", "--b-", "error 3\n"},
        Row{"EndsInHeader", "--b\r\nA: 1\r\n", "error 3\n"},
        Row{"EndsInContent", "--b\r\nA: 1\r\n\r\ntext", "part A=1\n'text'\nerror 3\n"},
        Row{"DelimiterGoesOn", "--bc\r\n", "error 1\n"},
        Row{"DelimiterGoesOnInContent", "--b\r\n\r\nx\r\n--bc\r\n",
            "part\n'x'\nend of part\nerror 1\n"},
        Row{"OneDash", "--b-\r\n", "error 1\n"},
        Row{"DashBehindPadding", "--b --\r\n", "error 1\n"},
        Row{"DelimiterEndsWithLineFeed", "--b\nA: 1\r\n", "error 1\n"},
        Row{"DelimiterEndsWithReturn", "--b\rA: 1\r\n", "error 1\n"},
        Row{"ByteZeroBehindDelimiter", std::string("--b\0\r\n", 6), "error 1\n"},
        Row{"HeaderEndsWithLineFeed", "--b\r\nA: 1\n\r\n", "error 2\n"},
        Row{"HeaderWithoutColon", "--b\r\nA 1\r\n\r\n", "error 2\n"},
        Row{"HeaderWithoutName", "--b\r\n: 1\r\n\r\n", "error 2\n"},
        Row{"SpaceBeforeColon", "--b\r\nA : 1\r\n\r\n", "error 2\n"},
        Row{"FoldedFirstLine", "--b\r\n A: 1\r\n\r\n", "error 2\n"},
        Row{"ReturnInHeader", "--b\r\nA: 1\r2\r\n\r\n", "error 2\n"},
        Row{"ByteZeroInHeader", std::string("--b\r\nA: \0\r\n\r\n", 13), "error 2\n"}),
    row_name);

TEST(MultipartLimitsTest, PartsAreCounted) {
  const auto body = [](int parts) {
    std::string text;
    for (int i = 0; i < parts; ++i) text += "--b\r\n\r\nx\r\n";
    return text + "--b--";
  };
  const MultipartLimits limits{.parts = 3};
  EXPECT_TRUE(trace(body(2), limits).ends_with("end\n"));
  EXPECT_TRUE(trace(body(3), limits).ends_with("end\n"));
  EXPECT_TRUE(trace(body(4), limits).ends_with("error 4\n"));
  EXPECT_EQ(trace("--b--", {.parts = 0}), "end\n");
  EXPECT_EQ(trace(body(1), {.parts = 0}), "error 4\n");
}

TEST(MultipartLimitsTest, HeaderLinesAreCountedPerPart) {
  const auto body = [](std::size_t head) {
    const std::string part =
        "--b\r\nA: " + std::string(head - 7, 'v') + "\r\n\r\nlonger than any limit\r\n";
    return part + part + "--b--";
  };
  const MultipartLimits limits{.head = 20};
  EXPECT_TRUE(trace(body(19), limits).ends_with("end\n"));
  EXPECT_TRUE(trace(body(20), limits).ends_with("end\n"));
  EXPECT_EQ(trace(body(21), limits), "error 5\n");
  EXPECT_EQ(trace("--b\r\n" + std::string(21, 'x'), limits), "error 5\n");
}

TEST(MultipartTest, LongestBoundaryIsFoundInLongContent) {
  const std::string boundary(70, '-');
  std::string content;
  for (int i = 0; i < 1000; ++i)
    content += "\r\n--" + std::string(static_cast<unsigned>(i % 70), '-');
  const std::string body = "--" + boundary + "\r\n\r\n" + content + "\r\n--" + boundary + "--";
  const std::string whole = trace_multipart(boundary, {body});
  EXPECT_TRUE(whole.ends_with("end of part\nend\n"));
  for (const std::size_t size : {1U, 2U, 3U, 71U, 72U, 73U, 4096U}) {
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < body.size(); at += size) {
      pieces.push_back(std::string_view(body).substr(at, size));
    }
    EXPECT_EQ(trace_multipart(boundary, pieces), whole) << size;
  }
}

TEST(MultipartTest, AFailedParserTakesAndSaysNothing) {
  detail::MultipartParser parser("b");
  EXPECT_EQ(parser.feed("--bc"), 4U);
  EXPECT_EQ(parser.error(), MultipartError::bad_delimiter);
  EXPECT_EQ(parser.feed("\r\n--b--"), 0U);
  EXPECT_EQ(parser.next().kind, detail::MultipartEvent::Kind::none);
  parser.finish();
  EXPECT_EQ(parser.error(), MultipartError::bad_delimiter);
}

}  // namespace
}  // namespace viaduct::test
