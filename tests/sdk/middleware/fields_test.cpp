// Middleware that adds header fields: CORS, security headers, timing, conditional GET.
#include <gmock/gmock.h>
#include <viaduct/middleware.hpp>

#include "tests/sdk/support/call.hpp"

namespace viaduct::test {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;

constexpr const char* kAllowOrigin = "Access-Control-Allow-Origin";

TEST(CorsTest, OnlyAllowedOriginsAreNamed) {
  App app;
  app.use(middleware::cors(
      {.origins = {"https://app.example", "http://localhost:5173"},
       .allow = [](std::string_view origin) { return origin.ends_with(".tenant.example"); },
       .expose = {"X-Total"},
       .credentials = true}));
  app.get("/", [](Request&, Response& res) { res.send("ok"); });
  struct {
    std::string origin;
    bool allowed;
  } const cases[] = {
      {"https://app.example", true},
      {"http://localhost:5173", true},
      {"https://a.tenant.example", true},
      {"https://evil.example", false},
      {"https://app.example.evil.example", false},
      {"https://app.example:8443", false},
      {"HTTPS://APP.EXAMPLE", false},
      {"null", false},
      {"", false},
      {"https://app.example, https://a.tenant.example", false},
      {"https://x\r\nSet-Cookie: a=b\r\n.tenant.example", false},
      {"https://x\".tenant.example", false},
      {"https://x/.tenant.example", false},
      {"https://user@x.tenant.example", false},
      {"https://" + std::string(400, 'x') + ".tenant.example", false},
      {".tenant.example", false},
  };
  for (const auto& c : cases) {
    const Answer got = answer(app, {.variables = {{"HTTP_ORIGIN", c.origin}}});
    EXPECT_EQ(got.status, 200) << c.origin;
    EXPECT_THAT(got.all("Vary"), ElementsAre("Origin"));
    if (c.allowed) {
      EXPECT_EQ(got.field(kAllowOrigin), c.origin);
      EXPECT_EQ(got.field("Access-Control-Allow-Credentials"), "true");
      EXPECT_EQ(got.field("Access-Control-Expose-Headers"), "X-Total");
    } else {
      EXPECT_FALSE(got.field(kAllowOrigin)) << c.origin;
      EXPECT_FALSE(got.field("Access-Control-Allow-Credentials")) << c.origin;
    }
  }
}

TEST(CorsTest, ErrorsAreReadableToo) {
  App app;
  app.use(middleware::cors({.origins = {"*"}}));
  const Answer got =
      answer(app, {.target = "/none", .variables = {{"HTTP_ORIGIN", "https://a.example"}}});
  EXPECT_EQ(got.status, 404);
  EXPECT_EQ(got.field(kAllowOrigin), "*");
  EXPECT_FALSE(got.field("Vary"));
}

TEST(CorsTest, PreflightsAreAnsweredHere) {
  App app;
  app.use(middleware::cors({.origins = {"https://app.example"},
                            .methods = {"GET", "PUT"},
                            .headers = {"Content-Type", "X-Token"},
                            .max_age = std::chrono::seconds(60)}));
  app.use([](Request&, Response&, const Handler&) { throw http_error(401, "who?"); });
  const auto ask = [&](const char* origin, bool preflight) {
    Call call{.method = "OPTIONS", .variables = {{"HTTP_ORIGIN", origin}}};
    if (preflight) call.variables.emplace_back("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "PUT");
    return answer(app, call);
  };
  const Answer allowed = ask("https://app.example", true);
  EXPECT_EQ(allowed.status, 204);
  EXPECT_EQ(allowed.field(kAllowOrigin), "https://app.example");
  EXPECT_EQ(allowed.field("Access-Control-Allow-Methods"), "GET, PUT");
  EXPECT_EQ(allowed.field("Access-Control-Allow-Headers"), "Content-Type, X-Token");
  EXPECT_EQ(allowed.field("Access-Control-Max-Age"), "60");
  const Answer refused = ask("https://evil.example", true);
  EXPECT_EQ(refused.status, 204);
  EXPECT_FALSE(refused.field(kAllowOrigin));
  EXPECT_FALSE(refused.field("Access-Control-Allow-Methods"));
  EXPECT_EQ(ask("https://app.example", false).status, 401);
}

TEST(CorsTest, OptionsThatMakeNoSenseThrow) {
  using middleware::cors;
  EXPECT_THROW(cors({.origins = {"*"}, .credentials = true}), std::invalid_argument);
  EXPECT_THROW(cors({.origins = {"https://a.example", "null"}, .credentials = true}),
               std::invalid_argument);
  EXPECT_NO_THROW(cors({.origins = {"null"}}));
  for (const char* origin : {"app.example", "https://", "https://a/b", "https://a\r\nb", ""}) {
    EXPECT_THROW(cors({.origins = {origin}}), std::invalid_argument) << origin;
  }
  EXPECT_THROW(cors({.origins = {"*"}, .headers = {"X Y"}}), std::invalid_argument);
}

TEST(SecurityHeadersTest, AreSetUnlessTheHandlerDid) {
  App app;
  app.use(middleware::security_headers({.strict_transport = std::chrono::hours(1)}));
  app.get("/", [](Request&, Response& res) {
    res.headers().set("content-security-policy", "default-src 'none'");
  });
  const Answer plain = answer(app, {});
  EXPECT_THAT(plain.all("Content-Security-Policy"), ElementsAre("default-src 'none'"));
  EXPECT_EQ(plain.field("X-Frame-Options"), "SAMEORIGIN");
  EXPECT_EQ(plain.field("X-Content-Type-Options"), "nosniff");
  EXPECT_FALSE(plain.field("Strict-Transport-Security"));
  const Answer secure = answer(app, {.target = "/none", .variables = {{"HTTPS", "on"}}});
  EXPECT_EQ(secure.status, 404);
  EXPECT_EQ(secure.field("Strict-Transport-Security"), "max-age=3600");
  EXPECT_THROW(middleware::security_headers({.frame_options = "a\nb"}), invalid_header);
}

TEST(TimingTest, ShowsTheWholeAndWhatTheHandlerMeasured) {
  App app;
  app.use(middleware::timing());
  app.get("/", [](Request& req, Response&) {
    req.local<middleware::Timings>().add("db", std::chrono::microseconds(12034));
  });
  EXPECT_THAT(*answer(app, {}).field("Server-Timing"),
              MatchesRegex("db;dur=12\\.034, app;dur=[0-9]+\\.[0-9][0-9][0-9]"));
  EXPECT_THAT(*answer(app, {.target = "/none"}).field("Server-Timing"),
              MatchesRegex("app;dur=[0-9.]+"));
  EXPECT_THROW(middleware::timing({.name = "a b"}), std::invalid_argument);
}

class ConditionalTest : public ::testing::Test {
 protected:
  ConditionalTest() {
    app.use(middleware::conditional_get());
    app.get("/small", [](Request&, Response& res) { res.type("text/plain").send("hello"); });
    app.post("/small", [](Request&, Response& res) { res.send("hello"); });
    app.get("/tagged", [](Request&, Response& res) {
      res.headers().set("ETag", "\"v,1\"");
      res.send(std::string(50000, 'x'));
    });
    app.get("/dated", [](Request&, Response& res) {
      res.headers().set("Last-Modified", kDate).set("ETag", "W/\"d\"");
      res.send("dated");
    });
    app.get("/long", [](Request&, Response& res) {
      for (int i = 0; i < 10; ++i) res.write(std::string(5000, 'x'));
    });
    app.get("/sized", [](Request&, Response& res) { res.send(std::string(50000, 'x')); });
    app.get("/gone", [](Request&, Response& res) { res.status(410).send("gone"); });
  }
  Answer ask(const char* target, const char* variable = nullptr, const std::string& value = {},
             const char* method = "GET") {
    Call call{.method = method, .target = target};
    if (variable != nullptr) call.variables = {{variable, value}};
    return answer(app, call);
  }

  static constexpr const char* kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
  App app;
};

TEST_F(ConditionalTest, TagsWhatIsCompleteAndAnswers304ToWhoHasIt) {
  const Answer first = ask("/small");
  ASSERT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "hello");
  EXPECT_EQ(first.field("Content-Length"), "5");
  const std::string tag = first.field("ETag").value();
  EXPECT_THAT(tag, MatchesRegex("\"[A-Za-z0-9_-]+\""));
  for (const std::string& list :
       {tag, "W/" + tag, "\"other\", " + tag, "\"a\",W/\"b\"," + tag, std::string("*")}) {
    const Answer again = ask("/small", "HTTP_IF_NONE_MATCH", list);
    EXPECT_EQ(again.status, 304) << list;
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(again.field("ETag"), tag);
    EXPECT_FALSE(again.field("Content-Length"));
    EXPECT_EQ(ask("/small", "HTTP_IF_NONE_MATCH", list, "HEAD").status, 304) << list;
  }
  for (const std::string& list :
       {std::string("\"other\""), tag.substr(1), tag.substr(0, tag.size() - 1), std::string(),
        std::string("\""), std::string("W/"), std::string(100000, '"')}) {
    EXPECT_EQ(ask("/small", "HTTP_IF_NONE_MATCH", list).status, 200) << list.substr(0, 50);
  }
  EXPECT_EQ(ask("/small", "HTTP_IF_NONE_MATCH", tag, "POST").status, 200);
}

// Whatever it is, the client has some version of it (RFC 9110 section 13.1.2).
TEST_F(ConditionalTest, AStarFitsAnswersWithoutETag) {
  for (const char* const target : {"/small", "/long", "/sized", "/tagged", "/dated"}) {
    for (const char* const method : {"GET", "HEAD"}) {
      const Answer got = ask(target, "HTTP_IF_NONE_MATCH", " * ", method);
      EXPECT_EQ(got.status, 304) << target;
      EXPECT_EQ(got.body, "");
    }
  }
  EXPECT_EQ(ask("/gone", "HTTP_IF_NONE_MATCH", "*").status, 410);
  EXPECT_EQ(ask("/small", "HTTP_IF_NONE_MATCH", "*", "POST").status, 200);
}

TEST_F(ConditionalTest, ValidatorsOfTheHandlerCount) {
  EXPECT_EQ(ask("/tagged").field("ETag"), "\"v,1\"");
  EXPECT_EQ(ask("/tagged").field("Content-Length"), "50000");
  const Answer known = ask("/tagged", "HTTP_IF_NONE_MATCH", "\"v,1\"");
  EXPECT_EQ(known.status, 304);
  EXPECT_EQ(known.body, "");
  EXPECT_EQ(ask("/tagged", "HTTP_IF_NONE_MATCH", "\"v\", \"1\"").status, 200);
  EXPECT_EQ(ask("/dated", "HTTP_IF_MODIFIED_SINCE", kDate).status, 304);
  EXPECT_EQ(ask("/dated", "HTTP_IF_MODIFIED_SINCE", "Sun, 06 Nov 1994 08:49:36 GMT").status, 200);
  EXPECT_EQ(ask("/dated", "HTTP_IF_NONE_MATCH", "\"d\"").status, 304);
}

TEST_F(ConditionalTest, StreamsAndErrorsPass) {
  const Answer stream = ask("/long", "HTTP_IF_NONE_MATCH", "\"x\"");
  EXPECT_EQ(stream.status, 200);
  EXPECT_EQ(stream.body.size(), 50000U);
  EXPECT_FALSE(stream.field("ETag"));
  EXPECT_EQ(ask("/sized").field("Content-Length"), "50000");
  EXPECT_EQ(ask("/gone", "HTTP_IF_NONE_MATCH", "*").status, 410);
  EXPECT_EQ(ask("/none", "HTTP_IF_NONE_MATCH", "*").status, 404);
}

TEST(AccessLogTest, ShowsWhatBecameOfTheRequest) {
  std::vector<std::string> lines;
  App app;
  app.use(middleware::access_log({.headers = {"User-Agent"}, .write = [&](std::string_view line) {
                                    lines.emplace_back(line);
                                  }}));
  app.get("/", [](Request&, Response& res) { res.send("hello"); });
  app.get("/breaks", [](Request&, Response& res) {
    res.write("abc");
    res.flush();
    throw client_gone("left");
  });
  answer(app, {.target = "/?q=1", .variables = {{"REMOTE_ADDR", "192.0.2.7"}}});
  answer(app, {.target = "/none"});
  answer(app, {.target = "/%zz"});
  answer(app, {.target = "/a\" 200 \"\\\n", .variables = {{"HTTP_USER_AGENT", "x\" \r\ny"}}});
  answer(app, {.target = "/breaks"});
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_THAT(lines[0],
              MatchesRegex("192\\.0\\.2\\.7 \"GET /\\?q=1\" 200 5 [0-9]+\\.[0-9]ms \"-\""));
  EXPECT_THAT(lines[1], MatchesRegex("- \"GET /none\" 404 10 .*"));
  EXPECT_THAT(lines[2], MatchesRegex("- \"GET /%zz\" 400 12 .*"));
  EXPECT_THAT(lines[3], ::testing::StartsWith("- \"GET /a\\\" 200 \\\"\\\\\\x0a\" 404 "));
  EXPECT_THAT(lines[3], ::testing::EndsWith(" \"x\\\" \\x0d\\x0ay\""));
  EXPECT_THAT(lines[4], MatchesRegex("- \"GET /breaks\" 200! 3 .*"));
}

}  // namespace
}  // namespace viaduct::test
