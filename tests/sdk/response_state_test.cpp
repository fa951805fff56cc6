#include "sdk/src/response_state.hpp"

#include <stdexcept>
#include <string>

#include <gmock/gmock.h>

#include "tests/sdk/support/recorder.hpp"

namespace viaduct::detail {
namespace {

using ::testing::HasSubstr;

class ResponseStateTest : public ::testing::Test {
 protected:
  ResponseStateTest() { state.begin(false); }

  test::Recorder sink;
  ResponseState state{sink};
  Response& res = state.response();
};

constexpr const char* kText = "Content-Type: text/plain; charset=utf-8";

TEST_F(ResponseStateTest, WhatIsCompleteAtOnceHasALength) {
  res.write("ab");
  res.write("c");
  EXPECT_FALSE(res.started());
  state.finish();
  EXPECT_EQ(sink.log, std::string("head(200; ") + kText + "; Content-Length: 3) body(3) end");
  EXPECT_EQ(res.bytes_sent(), 3U);
}

TEST_F(ResponseStateTest, NothingWrittenIsAnEmptyBody) {
  state.finish();
  EXPECT_EQ(sink.log, "head(200; Content-Length: 0) end");
}

TEST_F(ResponseStateTest, SixteenKilobytesAreHeldAndNotMore) {
  res.write(std::string(ResponseState::kHold - 1, 'x'));
  res.write("x");
  EXPECT_FALSE(res.started());
  res.write("y");
  EXPECT_TRUE(res.started());
  EXPECT_EQ(sink.log, std::string("head(200; ") + kText + ") body(16384)");
  state.finish();
  EXPECT_EQ(sink.sent.size(), ResponseState::kHold + 1);
  EXPECT_THAT(sink.log, HasSubstr("body(1) end"));
}

TEST_F(ResponseStateTest, LargePiecesPassUnbuffered) {
  res.write(std::string(100000, 'x'));
  EXPECT_EQ(sink.log, std::string("head(200; ") + kText + ") body(100000)");
}

TEST_F(ResponseStateTest, FlushStarts) {
  res.flush();
  EXPECT_TRUE(res.started());
  EXPECT_EQ(sink.log, std::string("head(200; ") + kText + ") flush");
  EXPECT_THROW(res.status(404), std::logic_error);
  EXPECT_THROW(res.headers(), std::logic_error);
  EXPECT_THROW(res.redirect("/"), std::logic_error);
  EXPECT_THROW(res.before_start([](Response&) {}), std::logic_error);
  const Response& constant = res;
  EXPECT_NO_THROW((void)constant.headers());
}

TEST_F(ResponseStateTest, SendOfALargeWholeHasALength) {
  res.type("image/png").send(std::string(50000, 'x'));
  state.finish();
  EXPECT_EQ(sink.log, "head(200; Content-Type: image/png; Content-Length: 50000) body(50000) end");
}

TEST_F(ResponseStateTest, DeclaredLengthIsKeptTo) {
  res.headers().set("Content-Length", "5");
  res.write("abc");
  EXPECT_THROW(res.write("def"), std::length_error);
  res.write("de");
  EXPECT_THROW(res.write("f"), std::length_error);
  state.finish();
  EXPECT_EQ(sink.sent, "abcde");
}

TEST_F(ResponseStateTest, LessThanDeclaredIsAnError) {
  res.headers().set("Content-Length", "5");
  res.write("abc");
  EXPECT_THROW(state.finish(), std::length_error);
  EXPECT_FALSE(res.started());
  res.flush();
  EXPECT_THROW(state.finish(), std::length_error);
  state.abandon();
  EXPECT_THAT(sink.log, HasSubstr("fail"));
}

TEST_F(ResponseStateTest, LengthThatIsNoNumberThrows) {
  for (const char* length : {"", "-1", "5x", "18446744073709551616", "1, 1"}) {
    state.begin(false);
    res.headers().set("Content-Length", length);
    EXPECT_THROW(res.flush(), invalid_header) << length;
  }
}

TEST_F(ResponseStateTest, HeadHasTheFieldsAndNoBody) {
  state.begin(true);
  res.send("abc");
  state.finish();
  EXPECT_EQ(sink.log, std::string("head(200; ") + kText + "; Content-Length: 3) end");
  EXPECT_EQ(res.bytes_sent(), 0U);
}

TEST_F(ResponseStateTest, HeadMayDeclareALengthAndWriteNothing) {
  state.begin(true);
  res.headers().set("Content-Length", "1000");
  state.finish();
  EXPECT_THAT(sink.log, HasSubstr("Content-Length: 1000) end"));
}

TEST_F(ResponseStateTest, NoContentAndNotModifiedHaveNoBody) {
  for (const int status : {204, 304}) {
    sink.log.clear();
    state.begin(false);
    res.status(status).write("ignored");
    res.flush();
    res.write(std::string(100000, 'x'));
    state.finish();
    EXPECT_EQ(sink.log, "head(" + std::to_string(status) + ") flush end");
  }
}

TEST_F(ResponseStateTest, LocationAloneIs302) {
  res.headers().set("Location", "/x");
  state.finish();
  EXPECT_THAT(sink.log, HasSubstr("head(302; Location: /x"));
  sink.log.clear();
  state.begin(false);
  res.status(201).headers().set("Location", "/x");
  state.finish();
  EXPECT_THAT(sink.log, HasSubstr("head(201; Location: /x"));
}

TEST_F(ResponseStateTest, RedirectSetsStatusAndLocation) {
  res.redirect("/next");
  state.finish();
  EXPECT_EQ(sink.log, "head(303; Location: /next; Content-Length: 0) end");
  EXPECT_THROW(res.redirect("/", 200), std::invalid_argument);
}

TEST_F(ResponseStateTest, ResetContentHasNone) {
  res.status(205);
  res.write("dropped");
  state.finish();
  EXPECT_EQ(sink.log, "head(205; Content-Length: 0) end");
  EXPECT_EQ(res.bytes_sent(), 0U);
  sink.log.clear();
  state.begin(false);
  res.status(205).headers().set("Content-Length", "7");
  res.write("drop");
  res.flush();
  res.write("ped");
  state.finish();
  EXPECT_EQ(sink.log, "head(205; Content-Length: 0) flush end");
}

TEST_F(ResponseStateTest, RedirectEncodesWhatNoUriHolds) {
  const struct {
    const char* location;
    const char* sent;
  } rows[] = {
      {"/caf\xC3\xA9 au lait", "/caf%C3%A9%20au%20lait"},
      {"https://example.org/\xE2\x82\xAC?q=\xFF#x", "https://example.org/%E2%82%AC?q=%FF#x"},
      {"/a%20b?c=d&e=%2F", "/a%20b?c=d&e=%2F"},
      {"/\t/host", "/%09/host"},
      {"/\"<>^`{|}", "/%22%3C%3E%5E%60%7B%7C%7D"},
      {"next", "next"},
      {"", ""},
  };
  for (const auto& row : rows) {
    res.redirect(row.location);
    EXPECT_EQ(res.headers().get("Location"), row.sent);
  }
}

TEST_F(ResponseStateTest, RedirectDoesNotLeaveTheHostByAPath) {
  for (const char* const location : {"//evil.example", "/\\evil.example", "\\\\evil.example",
                                     "\\/evil.example", "///evil.example", "//"}) {
    EXPECT_THROW(res.redirect(location), invalid_header) << location;
  }
  EXPECT_FALSE(res.headers().get("Location"));
  for (const char* const location : {"/", "/x//y", "https://example.org//x", "\\x"}) {
    EXPECT_NO_THROW(res.redirect(location)) << location;
  }
}

TEST_F(ResponseStateTest, StatusOutOfRangeThrows) {
  for (const int status : {0, 100, 199, 1000}) {
    EXPECT_THROW(res.status(status), std::invalid_argument) << status;
  }
  EXPECT_NO_THROW(res.status(200).status(999));
}

TEST_F(ResponseStateTest, FieldsOfOneHopAreDroppedAndFramingThrows) {
  res.headers().set("Connection", "close").set("keep-alive", "1").set("X", "1");
  state.finish();
  EXPECT_EQ(sink.log, "head(200; X: 1; Content-Length: 0) end");
  for (const char* name : {"Transfer-Encoding", "Status"}) {
    state.begin(false);
    res.headers().set(name, "x");
    EXPECT_THROW(state.finish(), invalid_header);
    EXPECT_FALSE(res.started());
  }
}

TEST_F(ResponseStateTest, HooksRunOnceBeforeTheHead) {
  int calls = 0;
  res.before_start([&](Response& response) {
    ++calls;
    response.headers().set("X-Hook", "1");
  });
  res.flush();
  res.flush();
  state.finish();
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(sink.log, HasSubstr("X-Hook: 1"));
}

TEST_F(ResponseStateTest, ResetForgetsEverything) {
  res.status(500).headers().set("X", "1");
  res.write("partial");
  state.reset();
  state.finish();
  EXPECT_EQ(sink.log, "head(200; Content-Length: 0) end");
}

TEST_F(ResponseStateTest, FinishedIgnoresWrites) {
  state.finish();
  res.write("late");
  res.flush();
  state.finish();
  EXPECT_EQ(sink.log, "head(200; Content-Length: 0) end");
}

TEST_F(ResponseStateTest, CookiesAreSpelledOut) {
  Cookie cookie;
  cookie.name = "id";
  cookie.value = "42";
  cookie.max_age = std::chrono::hours(1);
  res.cookie(cookie).clear_cookie("old");
  EXPECT_THAT(res.headers().all("Set-Cookie"),
              ::testing::ElementsAre("id=42; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax",
                                     "old=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"));
  for (const char* value : {"a b", "a;b", "a,b", "a\"", "a\\", "a\n", "\xC3\xA9"}) {
    cookie.value = value;
    EXPECT_THROW(res.cookie(cookie), invalid_header) << value;
  }
  cookie.value = "";
  cookie.path = "/; Domain=evil";
  EXPECT_THROW(res.cookie(cookie), invalid_header);
}

TEST_F(ResponseStateTest, NothingSplitsTheResponse) {
  using namespace std::string_literals;
  for (const std::string& text : {"x\r\nSet-Cookie: a=b"s, "x\n"s, "\r"s, "x\0y"s, "\x7f"s}) {
    EXPECT_THROW(res.type(text), invalid_header);
    EXPECT_THROW(res.redirect(text), invalid_header);
    EXPECT_THROW(res.variable("NAME", text), invalid_header);
    EXPECT_THROW(res.variable(text, "value"), invalid_header);
    EXPECT_THROW(res.clear_cookie(text), invalid_header);
    for (auto member :
         {&Cookie::name, &Cookie::value, &Cookie::path, &Cookie::domain, &Cookie::same_site}) {
      Cookie cookie;
      cookie.name = "n";
      cookie.*member = text;
      EXPECT_THROW(res.cookie(cookie), invalid_header);
    }
  }
  state.finish();
  EXPECT_EQ(sink.log, "head(200; Content-Length: 0) end") << "what threw left nothing behind";
}

TEST_F(ResponseStateTest, AnAuthorizersVariablesGoOutBesideItsStatus) {
  res.status(200).variable("USER", "ann");
  state.finish();
  EXPECT_EQ(sink.log, "head(200; Variable-USER: ann; Content-Length: 0) end");
}

TEST_F(ResponseStateTest, VariablesAreFields) {
  res.variable("USER", "ann");
  EXPECT_EQ(res.headers().get("Variable-USER"), "ann");
  EXPECT_THROW(res.variable("A B", "x"), invalid_header);
}

}  // namespace
}  // namespace viaduct::detail
