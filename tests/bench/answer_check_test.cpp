#include "tests/bench/answer_check.hpp"

#include <ostream>
#include <string_view>

#include <gtest/gtest.h>

namespace viaduct::bench {
namespace {

struct Case {
  const char* name;
  std::string_view output;
  bool right;
};

void PrintTo(const Case& answer, std::ostream* out) {
  *out << answer.name;
}

class AnswerCheckCase : public testing::TestWithParam<Case> {};

TEST_P(AnswerCheckCase, IsJudged) {
  AnswerCheck check(200, "body\n");
  EXPECT_EQ(check.right(GetParam().output), GetParam().right);
  EXPECT_EQ(check.right(GetParam().output), GetParam().right) << "asked again";
}

INSTANTIATE_TEST_SUITE_P(
    Answers, AnswerCheckCase,
    testing::Values(Case{"Whole", "Status: 200 OK\r\nContent-Type: a/b\r\n\r\nbody\n", true},
                    Case{"NoStatusMeans200", "Content-Type: a/b\r\n\r\nbody\n", true},
                    Case{"LineFeedsOnly", "status:200\n\nbody\n", true},
                    Case{"OtherStatus", "Status: 500 Oops\r\n\r\nbody\n", false},
                    Case{"StatusOfFourDigits", "Status: 2000\r\n\r\nbody\n", false},
                    Case{"StatusWithoutNumber", "Status: \r\n\r\nbody\n", false},
                    Case{"OtherBody", "Status: 200\r\n\r\nBody\n", false},
                    Case{"ShortBody", "Status: 200\r\n\r\nbody", false},
                    Case{"LongBody", "Status: 200\r\n\r\nbody\n\n", false},
                    Case{"HeadWithoutEnd", "Status: 200\r\n", false}, Case{"Nothing", "", false}),
    [](const auto& answer) { return answer.param.name; });

TEST(AnswerCheck, WrongAnswerAfterARightOneIsFound) {
  AnswerCheck check(200, "body");
  EXPECT_TRUE(check.right("A: b\r\n\r\nbody"));
  EXPECT_FALSE(check.right("A: b\r\n\r\nbodY"));
  EXPECT_TRUE(check.right("A: c\r\n\r\nbody"));
}

TEST(AnswerCheck, ExpectedStatusNeedNotBe200) {
  AnswerCheck check(404, "");
  EXPECT_TRUE(check.right("Status: 404 Not Found\r\n\r\n"));
  EXPECT_FALSE(check.right("A: b\r\n\r\n"));
}

}  // namespace
}  // namespace viaduct::bench
