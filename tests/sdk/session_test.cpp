#include <gmock/gmock.h>
#include <viaduct/session.hpp>

#include "sdk/src/base64.hpp"
#include "sdk/src/crypto.hpp"
#include "sdk/src/session_cookie.hpp"
#include "tests/sdk/support/call.hpp"

namespace viaduct::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kOld(32, 'o');
const std::string kNew(32, 'n');

class SessionTest : public ::testing::Test {
 protected:
  void serve(std::vector<std::string> keys, const std::string& cookie = "__Host-session") {
    app.use(sessions({.keys = std::move(keys),
                      .cookie = cookie,
                      .lifetime = std::chrono::hours(10),
                      .size = 200,
                      .now = [this] { return now; }}));
    app.get("/show", [](Request& req, Response& res) {
      for (const auto& [name, value] : session(req).items()) res.write(name + '=' + value + ';');
    });
    app.get("/set", [](Request& req, Response&) {
      for (const auto& [name, value] : req.query().items()) session(req).set(name, value);
    });
    app.get("/clear", [](Request& req, Response&) { session(req).clear(); });
    app.get("/ignore", [](Request&, Response&) {});
  }
  Answer ask(const std::string& target, const std::string& value = {}) {
    Call call{.target = target};
    if (!value.empty()) call.variables = {{"HTTP_COOKIE", "__Host-session=" + value}};
    return answer(app, call);
  }
  // What an answer sets; empty when nothing.
  static std::string cookie_of(const Answer& got) {
    const auto field = got.field("Set-Cookie");
    if (!field) return {};
    const std::size_t begin = field->find('=') + 1;
    return field->substr(begin, field->find(';') - begin);
  }

  App app;
  std::chrono::system_clock::time_point now = std::chrono::sys_days(std::chrono::days(20000));
};

TEST_F(SessionTest, ValuesComeBack) {
  serve({kNew});
  const Answer set = ask("/set?user=ann&bytes=%00%FF;");
  EXPECT_THAT(*set.field("Set-Cookie"),
              HasSubstr("; Path=/; Max-Age=36000; Secure; HttpOnly; SameSite=Lax"));
  EXPECT_THAT(set.all("Vary"), ElementsAre("Cookie"));
  const Answer shown = ask("/show", cookie_of(set));
  EXPECT_EQ(shown.body, std::string("user=ann;bytes=\0\xFF;;", 19));
  EXPECT_FALSE(shown.field("Set-Cookie"));
  EXPECT_THAT(shown.all("Vary"), ElementsAre("Cookie"));
  EXPECT_THAT(ask("/ignore", cookie_of(set)).fields,
              ElementsAre(::testing::Pair("Content-Length", "0")));
}

TEST_F(SessionTest, ChangesAddUpAndClearRemoves) {
  serve({kNew});
  const std::string one = cookie_of(ask("/set?a=1&b=2"));
  const std::string two = cookie_of(ask("/set?a=3", one));
  EXPECT_EQ(ask("/show", two).body, "a=3;b=2;");
  EXPECT_THAT(*ask("/clear", two).field("Set-Cookie"),
              HasSubstr("__Host-session=; Path=/; Max-Age=0"));
  EXPECT_FALSE(ask("/clear").field("Set-Cookie"));
}

TEST_F(SessionTest, ForgedOnesAreEmpty) {
  serve({kNew});
  const std::string good = cookie_of(ask("/set?user=ann"));
  ASSERT_EQ(ask("/show", good).body, "user=ann;");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(ask("/show", bad).body, "") << i;
    EXPECT_EQ(ask("/show", good.substr(0, i)).body, "") << i;
  }
  const std::size_t dot = good.find('.');
  for (const std::string& bad :
       {good + "A", good + ".", "." + good, good + "=", good.substr(dot), good.substr(0, dot + 1),
        good.substr(0, dot) + '.' + detail::base64url_encode(detail::sha256(good.substr(0, dot))),
        std::string("."), std::string(100000, '.'), std::string(100000, 'A') + good.substr(dot)}) {
    EXPECT_EQ(ask("/show", bad).body, "") << bad.substr(0, 100);
  }
}

TEST_F(SessionTest, CookiesOfOtherNamesAndKeysAreForged) {
  serve({kNew});
  detail::SessionContent content{
      .expires = std::chrono::floor<std::chrono::seconds>(now) + std::chrono::hours(1),
      .items = {{"user", "ann"}}};
  EXPECT_EQ(ask("/show", detail::sign_session("__Host-session", kNew, content)).body, "user=ann;");
  EXPECT_EQ(ask("/show", detail::sign_session("other", kNew, content)).body, "");
  EXPECT_EQ(ask("/show", detail::sign_session("__Host-session", kOld, content)).body, "");
}

TEST_F(SessionTest, SignedContentThatIsMalformedIsEmpty) {
  serve({kNew});
  const auto sign = [](std::string_view bytes) {
    const std::string text = detail::base64url_encode(bytes);
    return text + '.' +
           detail::base64url_encode(detail::hmac_sha256(kNew, "__Host-session=" + text));
  };
  const std::string head = std::string("\1\0\0\0\1\0\0\0\0", 9);
  EXPECT_EQ(ask("/show", sign(head + std::string("\0\1a\0\1b", 6))).body, "a=b;");
  for (const std::string& bytes :
       {std::string(), std::string("\2") + head.substr(1), head.substr(0, 8),
        head + std::string("\0\1a\0\2b", 6), head + std::string("\0\1a", 3),
        head + std::string("\0", 1), head + std::string("\xff\xff", 2)}) {
    EXPECT_EQ(ask("/show", sign(bytes)).body, "");
  }
}

TEST_F(SessionTest, ExpiresAndIsRenewedWhenHalfIsOver) {
  serve({kNew});
  const std::string made = cookie_of(ask("/set?a=1"));
  now += std::chrono::hours(5);
  EXPECT_EQ(cookie_of(ask("/ignore", made)), "");
  now += std::chrono::seconds(1);
  const std::string renewed = cookie_of(ask("/ignore", made));
  EXPECT_NE(renewed, "");
  now += std::chrono::hours(5) - std::chrono::seconds(2);
  EXPECT_EQ(ask("/show", made).body, "a=1;");
  now += std::chrono::seconds(1);
  EXPECT_EQ(ask("/show", made).body, "");
  EXPECT_EQ(ask("/show", renewed).body, "a=1;");
}

TEST_F(SessionTest, OldKeysVerifyAndTheFirstSigns) {
  serve({kNew, kOld});
  const detail::SessionContent content{
      .expires = std::chrono::floor<std::chrono::seconds>(now) + std::chrono::hours(10),
      .items = {{"a", "1"}}};
  const Answer got = ask("/show", detail::sign_session("__Host-session", kOld, content));
  EXPECT_EQ(got.body, "a=1;");
  EXPECT_EQ(cookie_of(got), detail::sign_session("__Host-session", kNew, content));
}

TEST_F(SessionTest, TooLargeThrowsAndChangesNothing) {
  serve({kNew});
  std::size_t largest = 0;
  app.get("/fill", [&](Request& req, Response& res) {
    for (std::size_t size = 1; size < 1000; ++size) {
      try {
        session(req).set("x", std::string(size, 'x'));
        largest = size;
      } catch (const std::length_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("200 are allowed"));
        break;
      }
    }
    res.send(*session(req).get("x"));
  });
  const Answer got = ask("/fill");
  EXPECT_EQ(got.body.size(), largest);
  EXPECT_LE(cookie_of(got).size(), 200U);
  EXPECT_GE(cookie_of(got).size(), 198U);
  EXPECT_EQ(ask("/show", cookie_of(got)).body.size(), largest + 3);
}

TEST_F(SessionTest, CannotChangeOnceTheResponseHasStarted) {
  serve({kNew});
  int thrown = 0;
  app.get("/late", [&](Request& req, Response& res) {
    session(req).set("a", "1");
    res.flush();
    EXPECT_EQ(session(req).get("a"), "1");
    EXPECT_THROW(session(req).set("a", "2"), std::logic_error);
    EXPECT_THROW(session(req).erase("a"), std::logic_error);
    EXPECT_THROW(session(req).clear(), std::logic_error);
    ++thrown;
  });
  EXPECT_NE(cookie_of(ask("/late")), "");
  EXPECT_EQ(thrown, 1);
}

TEST_F(SessionTest, WithoutTheMiddlewareThereIsNone) {
  app.get("/", [](Request& req, Response&) { EXPECT_THROW(session(req), std::logic_error); });
  EXPECT_EQ(ask("/").status, 200);
}

TEST_F(SessionTest, OptionsThatMakeNoSenseThrow) {
  EXPECT_THROW(sessions({}), std::invalid_argument);
  EXPECT_THROW(sessions({.keys = {std::string(31, 'k')}}), std::invalid_argument);
  EXPECT_THROW(sessions({.keys = {kNew, "short"}}), std::invalid_argument);
  EXPECT_THROW(sessions({.keys = {kNew}, .cookie = "a b"}), std::invalid_argument);
  EXPECT_THROW(sessions({.keys = {kNew}, .path = "/x"}), std::invalid_argument);
  EXPECT_THROW(sessions({.keys = {kNew}, .secure = false}), std::invalid_argument);
  EXPECT_THROW(sessions({.keys = {kNew}, .size = 4096}), std::invalid_argument);
  EXPECT_THROW(sessions({.keys = {kNew}, .lifetime = {}}), std::invalid_argument);
  EXPECT_THROW(sessions({.keys = {kNew}, .same_site = "none"}), std::invalid_argument);
  EXPECT_NO_THROW(sessions({.keys = {kNew}, .cookie = "s", .path = "/x", .secure = false}));
}

}  // namespace
}  // namespace viaduct::test
