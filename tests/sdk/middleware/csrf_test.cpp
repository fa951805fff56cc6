#include <gmock/gmock.h>
#include <viaduct/middleware.hpp>
#include <viaduct/session.hpp>

#include "sdk/src/base64.hpp"
#include "tests/sdk/support/call.hpp"

namespace viaduct::test {
namespace {

using ::testing::HasSubstr;
using Variables = std::vector<std::pair<std::string, std::string>>;

class CsrfTest : public ::testing::Test {
 protected:
  void serve(middleware::Csrf options = {}) {
    app.use(middleware::csrf(std::move(options)));
    app.get("/form", [](Request& req, Response& res) { res.send(middleware::csrf_token(req)); });
    app.get("/plain", [](Request&, Response& res) { res.send("plain"); });
    app.post("/act", [](Request&, Response& res) { res.send("done"); });
    app.post("/echo",
             [](Request& req, Response& res) { res.send(*req.form().values.get("text")); });
  }
  // Gets a token, and the cookie that goes with it.
  void visit(const char* name = "__Host-csrf=") {
    const Answer got = answer(app, {.target = "/form", .variables = cookies()});
    token = got.body;
    const std::string field = got.field("Set-Cookie").value_or("");
    if (!field.empty()) cookie = field.substr(0, field.find(';'));
    EXPECT_EQ(cookie.rfind(name, 0), 0U) << cookie;
  }
  [[nodiscard]] Variables cookies() const {
    return cookie.empty() ? Variables() : Variables{{"HTTP_COOKIE", cookie}};
  }
  int act(const std::string& sent, const Variables& more = {}) {
    Call call{.method = "POST", .target = "/act", .variables = cookies()};
    call.variables.emplace_back("HTTP_HOST", "shop.example");
    if (!sent.empty()) call.variables.emplace_back("HTTP_X_CSRF_TOKEN", sent);
    call.variables.insert(call.variables.end(), more.begin(), more.end());
    return answer(app, call).status;
  }

  App app;
  std::string token;
  std::string cookie;
};

TEST_F(CsrfTest, TokenInTheHeaderLetsIn) {
  serve();
  EXPECT_EQ(act(""), 403);
  visit();
  EXPECT_EQ(act(token), 200);
  EXPECT_EQ(act(""), 403);
  const std::string first = token;
  visit();
  EXPECT_NE(token, first);
  EXPECT_EQ(act(first), 200);
  EXPECT_EQ(act(token), 200);
}

TEST_F(CsrfTest, CookieIsSetOnceAndOnlyWhenAsked) {
  serve();
  EXPECT_FALSE(answer(app, {.target = "/plain"}).field("Set-Cookie"));
  const Answer made = answer(app, {.target = "/form"});
  EXPECT_THAT(*made.field("Set-Cookie"), HasSubstr("; Path=/; Secure; HttpOnly; SameSite=Lax"));
  visit();
  EXPECT_FALSE(answer(app, {.target = "/form", .variables = cookies()}).field("Set-Cookie"));
}

TEST_F(CsrfTest, TokenInAFormLetsInAndTheFormIsKept) {
  serve();
  visit();
  const auto post = [&](const std::string& type, const std::string& body) {
    Call call{.method = "POST", .target = "/echo", .variables = cookies(), .body = body};
    call.variables.emplace_back("CONTENT_TYPE", type);
    return answer(app, call);
  };
  const std::string urlencoded = "application/x-www-form-urlencoded";
  EXPECT_EQ(post(urlencoded, "text=hello&csrf_token=" + token).body, "hello");
  EXPECT_EQ(post(urlencoded + " ; charset=utf-8", "csrf_token=" + token + "&text=hi").body, "hi");
  EXPECT_EQ(post(urlencoded, "text=hello").status, 403);
  EXPECT_EQ(post(urlencoded, "text=hello&csrf_token=").status, 403);
  EXPECT_EQ(post("text/plain", "text=hello&csrf_token=" + token).status, 403);
  const std::string parts =
      "--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nparts\r\n"
      "--b\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n" +
      token + "\r\n--b--\r\n";
  EXPECT_EQ(post("multipart/form-data; boundary=b", parts).body, "parts");
}

TEST_F(CsrfTest, ForgedTokensAreRefused) {
  serve();
  visit();
  const std::string good = token;
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(act(bad), 403) << i;
    EXPECT_EQ(act(good.substr(0, i)), 403) << i;
  }
  const std::string secret = cookie.substr(cookie.find('=') + 1);
  for (const std::string& bad :
       {good + "A", good + good, secret, secret + secret,
        detail::base64url_encode(std::string(64, '\0')), std::string(100000, 'A')}) {
    EXPECT_EQ(act(bad), 403);
  }
}

TEST_F(CsrfTest, EmptyOrMalformedCookiesMatchNothing) {
  serve();
  const std::string zero = detail::base64url_encode(std::string(64, '\0'));
  for (const char* value : {"", "AAAA", "%00", "\"\""}) {
    cookie = std::string("__Host-csrf=") + value;
    EXPECT_EQ(act(zero), 403) << value;
    EXPECT_EQ(act(""), 403) << value;
  }
}

TEST_F(CsrfTest, OtherOriginsAreRefusedWithAGoodToken) {
  serve({.trusted = {"https://admin.example"}});
  visit();
  struct {
    Variables variables;
    int status;
  } const cases[] = {
      {{{"HTTP_ORIGIN", "http://shop.example"}}, 200},
      {{{"HTTP_ORIGIN", "http://SHOP.example"}}, 200},
      {{{"HTTP_ORIGIN", "https://shop.example"}}, 403},
      {{{"HTTP_ORIGIN", "https://shop.example"}, {"HTTPS", "on"}}, 200},
      {{{"HTTP_ORIGIN", "http://shop.example.evil"}}, 403},
      {{{"HTTP_ORIGIN", "http://shop.example:81"}}, 403},
      {{{"HTTP_ORIGIN", "null"}}, 403},
      {{{"HTTP_ORIGIN", ""}}, 403},
      {{{"HTTP_ORIGIN", "https://admin.example"}}, 200},
      {{{"HTTP_ORIGIN", "https://admin.example"}, {"HTTP_SEC_FETCH_SITE", "cross-site"}}, 200},
      {{{"HTTP_SEC_FETCH_SITE", "same-origin"}}, 200},
      {{{"HTTP_SEC_FETCH_SITE", "none"}}, 200},
      {{{"HTTP_SEC_FETCH_SITE", "same-site"}}, 403},
      {{{"HTTP_SEC_FETCH_SITE", "cross-site"}}, 403},
      {{{"HTTP_SEC_FETCH_SITE", ""}}, 403},
      {{{"HTTP_SEC_FETCH_SITE", "same-origin, cross-site"}}, 403},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(act(token, c.variables), c.status) << c.variables.front().second;
    EXPECT_EQ(act("", c.variables), 403);
  }
}

TEST_F(CsrfTest, TokenIsKeptInTheSession) {
  app.use(sessions({.keys = {std::string(32, 'k')}}));
  serve({.in_session = true});
  visit("__Host-session=");
  EXPECT_EQ(act(token), 200);
  const std::string mine = cookie;
  cookie.clear();
  EXPECT_EQ(act(token), 403);
  visit("__Host-session=");
  const std::string other = token;
  cookie = mine;
  EXPECT_EQ(act(other), 403);
}

TEST_F(CsrfTest, SafeMethodsPass) {
  serve();
  EXPECT_EQ(answer(app, {.target = "/plain"}).status, 200);
  EXPECT_EQ(answer(app, {.method = "HEAD", .target = "/plain"}).status, 200);
  EXPECT_EQ(answer(app, {.method = "OPTIONS", .target = "/act"}).status, 204);
  EXPECT_EQ(answer(app, {.method = "DELETE", .target = "/plain"}).status, 403);
  EXPECT_EQ(answer(app, {.method = "get", .target = "/plain"}).status, 403);
}

TEST_F(CsrfTest, TokenNeedsTheMiddlewareAndAnOpenResponse) {
  app.get("/bare", [](Request& req, Response&) {
    EXPECT_THROW(middleware::csrf_token(req), std::logic_error);
  });
  EXPECT_EQ(answer(app, {.target = "/bare"}).status, 200);
  serve();
  app.get("/late", [](Request& req, Response& res) {
    res.flush();
    EXPECT_THROW(middleware::csrf_token(req), std::logic_error);
  });
  EXPECT_EQ(answer(app, {.target = "/late"}).status, 200);
}

TEST_F(CsrfTest, OptionsThatMakeNoSenseThrow) {
  using middleware::csrf;
  EXPECT_THROW(csrf({.cookie = "a b"}), std::invalid_argument);
  EXPECT_THROW(csrf({.secure = false}), std::invalid_argument);
  EXPECT_THROW(csrf({.cookie = "c", .secure = false, .same_site = "None"}), std::invalid_argument);
  EXPECT_THROW(csrf({.header = ""}), std::invalid_argument);
  EXPECT_THROW(csrf({.trusted = {"https://a/b"}}), std::invalid_argument);
}

}  // namespace
}  // namespace viaduct::test
