#include <cctype>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>

#include "sdk/src/response_state.hpp"
#include "tests/sdk/support/recorder.hpp"

namespace viaduct::detail {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kText = "Content-Type: text/plain; charset=utf-8";

class ResponseTransformTest : public ::testing::Test {
 protected:
  ResponseTransformTest() { state.begin(false); }

  // Notes every call and wraps what it gets.
  ResponseState::Transform wrap(const std::string& left, const std::string& right) {
    return [this, left, right](std::string_view chunk, bool last) {
      calls.push_back(std::to_string(chunk.size()) + (last ? " last" : ""));
      return left + std::string(chunk) + (last ? right : "");
    };
  }

  test::Recorder sink;
  ResponseState state{sink};
  Response& res = state.response();
  std::vector<std::string> calls;
};

TEST_F(ResponseTransformTest, WhatIsHeldIsOneCallAndHasALength) {
  res.transform(wrap("<", ">"));
  res.write("ab");
  res.write("c");
  state.finish();
  EXPECT_EQ(sink.log, std::string("head(200; ") + kText + "; Content-Length: 5) body(5) end");
  EXPECT_EQ(sink.sent, "<abc>");
  EXPECT_THAT(calls, ElementsAre("3 last"));
  EXPECT_EQ(res.bytes_sent(), 5U);
}

TEST_F(ResponseTransformTest, NothingWrittenIsACallAsWell) {
  res.transform(wrap("<", ">"));
  state.finish();
  EXPECT_EQ(sink.sent, "<>");
  EXPECT_THAT(sink.log, HasSubstr("Content-Length: 2"));
}

TEST_F(ResponseTransformTest, StreamedPiecesEndWithLast) {
  res.transform(wrap("", "."));
  res.flush();
  res.write("one");
  res.flush();
  res.write(std::string(ResponseState::kHold, 'x'));
  res.write("two");
  state.finish();
  EXPECT_THAT(calls, ElementsAre("0", "3", "16384", "3 last"));
  EXPECT_EQ(sink.sent, "one" + std::string(ResponseState::kHold, 'x') + "two.");
  EXPECT_THAT(sink.log, Not(HasSubstr("Content-Length")));
}

TEST_F(ResponseTransformTest, DeclaredLengthBoundsTheHandlerAndIsNotSent) {
  res.transform(wrap("<<", ">>"));
  res.headers().set("Content-Length", "3");
  res.write("abc");
  EXPECT_THROW(res.write("d"), std::length_error);
  res.flush();
  EXPECT_THROW(res.write("d"), std::length_error);
  state.finish();
  EXPECT_EQ(sink.sent, "<<abc<<>>");
  EXPECT_THAT(sink.log, Not(HasSubstr("Content-Length")));

  sink = {};
  state.begin(false);
  res.transform(wrap("", ""));
  res.headers().set("Content-Length", "3");
  res.flush();
  EXPECT_THROW(state.finish(), std::length_error);
}

TEST_F(ResponseTransformTest, SendOfALargeWholeLosesItsLength) {
  res.transform(wrap("", "!"));
  res.send(std::string(50000, 'x'));
  state.finish();
  EXPECT_EQ(sink.sent.size(), 50001U);
  EXPECT_THAT(sink.log, Not(HasSubstr("Content-Length")));
}

TEST_F(ResponseTransformTest, TheFirstOneAddedHasTheLastWord) {
  res.transform(wrap("(", ")"));
  res.transform(wrap("[", "]"));
  res.send("x");
  state.finish();
  EXPECT_EQ(sink.sent, "([x])");
}

TEST_F(ResponseTransformTest, TheFirstCallMayChangeTheHead) {
  for (const bool streamed : {false, true}) {
    sink = {};
    state.begin(false);
    bool first = true;
    res.transform([&](std::string_view chunk, bool last) {
      if (std::exchange(first, false)) res.headers().set("X-Whole", last ? "yes" : "no");
      return std::string(chunk);
    });
    res.write("abc");
    if (streamed) res.flush();
    state.finish();
    EXPECT_THAT(sink.log, HasSubstr(streamed ? "X-Whole: no" : "X-Whole: yes"));
    EXPECT_EQ(sink.sent, "abc");
  }
}

TEST_F(ResponseTransformTest, ATransformMayMakeItNotModified) {
  res.transform([&](std::string_view, bool) {
    res.status(304).headers().set("ETag", "\"1\"");
    return std::string();
  });
  res.send("abc");
  state.finish();
  EXPECT_EQ(sink.log, std::string("head(304; ETag: \"1\") end"));
}

TEST_F(ResponseTransformTest, AnswersWithoutBodyAreNotTransformed) {
  for (const int status : {204, 304}) {
    sink = {};
    state.begin(false);
    res.transform(wrap("<", ">"));
    res.status(status).write("ignored");
    state.finish();
    EXPECT_EQ(sink.log, "head(" + std::to_string(status) + ") end");
  }
  state.begin(true);
  res.transform(wrap("<", ">"));
  res.headers().set("Content-Length", "10");
  state.finish();
  EXPECT_THAT(calls, ElementsAre());
}

TEST_F(ResponseTransformTest, HeadHasTheFieldsOfGet) {
  state.begin(true);
  res.transform(wrap("<", ">"));
  res.send("abc");
  state.finish();
  EXPECT_EQ(sink.log, std::string("head(200; ") + kText + "; Content-Length: 5) end");
}

TEST_F(ResponseTransformTest, HooksMayAddOne) {
  res.before_start([&](Response& response) {
    if (response.headers().get("Content-Type") == "text/html") response.transform(wrap("<", ">"));
  });
  res.type("text/html").send("x");
  state.finish();
  EXPECT_EQ(sink.sent, "<x>");
}

TEST_F(ResponseTransformTest, WritingOrAddingInsideThrowsAndLeavesTheResponseUsable) {
  res.transform([&](std::string_view chunk, bool) {
    EXPECT_THROW(res.write("x"), std::logic_error);
    EXPECT_THROW(res.flush(), std::logic_error);
    EXPECT_THROW(res.transform(wrap("", "")), std::logic_error);
    return std::string(chunk);
  });
  res.send("abc");
  state.finish();
  EXPECT_EQ(sink.sent, "abc");
  EXPECT_THROW(res.transform(wrap("", "")), std::logic_error);
}

TEST_F(ResponseTransformTest, WhatItThrowsLeavesTheResponseToBeReset) {
  res.transform([](std::string_view, bool) -> std::string { throw std::runtime_error("no"); });
  res.send("abc");
  EXPECT_THROW(state.finish(), std::runtime_error);
  ASSERT_FALSE(res.started());
  state.reset();
  res.send("failed");
  state.finish();
  EXPECT_EQ(sink.sent, "failed");
}

}  // namespace
}  // namespace viaduct::detail
