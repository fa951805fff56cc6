// Middleware that answers itself: authentication, limits, method override.
#include <gmock/gmock.h>
#include <viaduct/middleware.hpp>

#include "sdk/src/base64.hpp"
#include "tests/sdk/support/call.hpp"

namespace viaduct::test {
namespace {

using Clock = std::chrono::steady_clock;

// The standard alphabet; test inputs are chosen so that padding is the only difference.
std::string basic(std::string_view credentials) {
  std::string text = detail::base64url_encode(credentials);
  while (text.size() % 4 != 0) text += '=';
  return "Basic " + text;
}

TEST(BasicAuthTest, LetsInWhoKnowsThePassword) {
  App app;
  app.use(middleware::basic_auth({.realm = "shop",
                                  .users = {{"ann", "p:w"}, {"bob", ""}},
                                  .check = [](std::string_view name, std::string_view password) {
                                    return name == "eve" && password == "db";
                                  }}));
  app.get("/", [](Request& req, Response& res) { res.send(middleware::authenticated_user(req)); });
  struct {
    std::string field;
    const char* user;  // null: 401
  } const cases[] = {
      {basic("ann:p:w"), "ann"},
      {"bAsIc  " + basic("ann:p:w").substr(6), "ann"},
      {basic("bob:"), "bob"},
      {basic("eve:db"), "eve"},
      {basic("ann:p:"), nullptr},
      {basic("ann:p:w "), nullptr},
      {basic("ann"), nullptr},
      {basic("Ann:p:w"), nullptr},
      {basic("ann:db"), nullptr},
      {basic(":"), nullptr},
      {basic(std::string_view("ann:p:w\0", 8)), nullptr},
      {basic("ann:p:w\n"), nullptr},
      {"Basic", nullptr},
      {"Basic ", nullptr},
      {"Basic =", nullptr},
      {"Basic ====", nullptr},
      {"Basic YW5uOnA6dw", "ann"},
      {"Basic YW5uOnA6dw=", nullptr},
      {"Basic YW5uOnA6dx==", nullptr},
      {"Basic YW5u OnA6dw==", nullptr},
      {"Basic YW5uOnA6dw==, Basic YW5uOnA6dw==", nullptr},
      {"Bearer YW5uOnA6dw==", nullptr},
      {"", nullptr},
      {"Basic " + std::string(5000, 'A'), nullptr},
  };
  for (const auto& c : cases) {
    const Answer got = answer(app, {.variables = {{"HTTP_AUTHORIZATION", c.field}}});
    EXPECT_EQ(got.status, c.user == nullptr ? 401 : 200) << c.field;
    EXPECT_EQ(got.body, c.user == nullptr ? std::string("Unauthorized\n") : c.user);
  }
  const Answer refused = answer(app, {});
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.field("WWW-Authenticate"), "Basic realm=\"shop\", charset=\"UTF-8\"");
}

TEST(BasicAuthTest, OptionsThatMakeNoSenseThrow) {
  using middleware::basic_auth;
  EXPECT_THROW(basic_auth({}), std::invalid_argument);
  EXPECT_THROW(basic_auth({.realm = "a\"b", .users = {{"a", "b"}}}), std::invalid_argument);
  EXPECT_THROW(basic_auth({.realm = "a\nb", .users = {{"a", "b"}}}), std::invalid_argument);
  EXPECT_THROW(basic_auth({.users = {{"a:b", "c"}}}), std::invalid_argument);
}

TEST(BodyLimitTest, HoldsAtTheLimitAndBelow) {
  App app;
  app.use(middleware::body_limit({.bytes = 10}));
  bool called = false;
  app.post("/", [&](Request& req, Response& res) {
    called = true;
    res.send(std::to_string(req.body().text().size()));
  });
  for (const bool known : {true, false}) {
    for (const std::size_t size : {0U, 9U, 10U, 11U, 1000U}) {
      called = false;
      Call call{.method = "POST", .body = std::string(size, 'x'), .length_known = known};
      if (known) call.variables = {{"CONTENT_LENGTH", std::to_string(size)}};
      const Answer got = answer(app, call);
      EXPECT_EQ(got.status, size > 10 ? 413 : 200) << size;
      EXPECT_EQ(called, size <= 10 || !known) << size;
    }
  }
}

TEST(BodyLimitTest, InnerLimitsAreOnlyLower) {
  const auto read = [](Request& req, Response& res) { res.send(req.body().text()); };
  Router lower;
  lower.use(middleware::body_limit({.bytes = 5})).post("/", read);
  Router higher;
  higher.use(middleware::body_limit({.bytes = 100})).post("/", read);
  App app;
  app.use(middleware::body_limit({.bytes = 10}));
  app.mount("/lower", lower).mount("/higher", higher);
  const auto status = [&](const char* target, std::size_t size) {
    return answer(app, {.method = "POST",
                        .target = target,
                        .body = std::string(size, 'x'),
                        .length_known = false})
        .status;
  };
  EXPECT_EQ(status("/lower", 5), 200);
  EXPECT_EQ(status("/lower", 6), 413);
  EXPECT_EQ(status("/higher", 10), 200);
  EXPECT_EQ(status("/higher", 11), 413);
}

class RateLimitTest : public ::testing::Test {
 protected:
  void limit(middleware::RateLimit options) {
    options.now = [this] { return now; };
    app.use(middleware::rate_limit(std::move(options)));
    app.get("/", [](Request&, Response& res) { res.send("ok"); });
  }
  Answer from(const std::string& address) {
    return answer(app, {.variables = {{"REMOTE_ADDR", address}}});
  }

  App app;
  Clock::time_point now = Clock::now();
};

TEST_F(RateLimitTest, AllowsABurstAndThenTheRate) {
  limit({.per_second = 0.5, .burst = 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(from("192.0.2.1").status, 200);
  const Answer refused = from("192.0.2.1");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.field("Retry-After"), "2");
  EXPECT_EQ(from("192.0.2.2").status, 200);
  now += std::chrono::milliseconds(1900);
  EXPECT_EQ(from("192.0.2.1").status, 429);
  now += std::chrono::milliseconds(100);
  EXPECT_EQ(from("192.0.2.1").status, 200);
  EXPECT_EQ(from("192.0.2.1").status, 429);
  now += std::chrono::hours(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(from("192.0.2.1").status, 200);
  EXPECT_EQ(from("192.0.2.1").status, 429);
}

TEST_F(RateLimitTest, HostsOfOneIpv6NetworkAreOne) {
  limit({.per_second = 1, .burst = 1});
  EXPECT_EQ(from("2001:db8::1").status, 200);
  EXPECT_EQ(from("2001:db8::ffff:2").status, 429);
  EXPECT_EQ(from("2001:db8:0:1::1").status, 200);
  EXPECT_EQ(from("::ffff:192.0.2.1").status, 200);
  EXPECT_EQ(from("::ffff:192.0.2.2").status, 200);
}

TEST_F(RateLimitTest, ForgetsTheKeyNotSeenForLongest) {
  limit({.per_second = 0.001, .burst = 1, .keys = 2});
  EXPECT_EQ(from("a").status, 200);
  EXPECT_EQ(from("b").status, 200);
  EXPECT_EQ(from("a").status, 429);
  EXPECT_EQ(from("c").status, 200);  // in the place of b
  EXPECT_EQ(from("a").status, 429);
  EXPECT_EQ(from("b").status, 200);
}

TEST_F(RateLimitTest, KeysAreChosenAndEmptyOnesNotCounted) {
  limit({.per_second = 0.001, .burst = 1, .key = [](Request& req) {
           return std::string(req.query().get("user").value_or(""));
         }});
  const auto ask = [&](const std::string& user) {
    return answer(app, {.target = "/?user=" + user}).status;
  };
  EXPECT_EQ(ask(""), 200);
  EXPECT_EQ(ask(""), 200);
  const std::string long_name(100000, 'x');
  EXPECT_EQ(ask(long_name), 200);
  EXPECT_EQ(ask(long_name), 429);
  EXPECT_EQ(ask(long_name + 'y'), 200);
}

TEST_F(RateLimitTest, OptionsThatMakeNoSenseThrow) {
  using middleware::rate_limit;
  EXPECT_THROW(rate_limit({.per_second = 0}), std::invalid_argument);
  EXPECT_THROW(rate_limit({.per_second = -1}), std::invalid_argument);
  EXPECT_THROW(rate_limit({.burst = 0}), std::invalid_argument);
  EXPECT_THROW(rate_limit({.keys = 0}), std::invalid_argument);
}

TEST(MethodOverrideTest, PostIsRoutedAsTheMethodNamed) {
  App app;
  app.use(middleware::method_override());
  app.route("GET,POST,PUT,DELETE", "/",
            [](Request& req, Response& res) { res.send(req.method()); });
  struct {
    const char* method;
    const char* target;
    const char* header;
    const char* result;  // empty: 400
  } const cases[] = {
      {"POST", "/?_method=PUT", nullptr, "PUT"},
      {"POST", "/", "DELETE", "DELETE"},
      {"POST", "/?_method=PUT", "DELETE", "DELETE"},
      {"POST", "/", nullptr, "POST"},
      {"GET", "/?_method=DELETE", "DELETE", "GET"},
      {"PUT", "/", "DELETE", "PUT"},
      {"POST", "/?_method=GET", nullptr, ""},
      {"POST", "/", "put", ""},
      {"POST", "/", "PUT, DELETE", ""},
      {"POST", "/?_method=", nullptr, ""},
  };
  for (const auto& c : cases) {
    Call call{.method = c.method, .target = c.target};
    if (c.header != nullptr) call.variables = {{"HTTP_X_HTTP_METHOD_OVERRIDE", c.header}};
    const Answer got = answer(app, call);
    EXPECT_EQ(got.status, *c.result == '\0' ? 400 : 200) << c.target;
    EXPECT_EQ(got.body, *c.result == '\0' ? std::string("Bad Request\n") : c.result);
  }
  EXPECT_THROW(middleware::method_override({.methods = {"GET"}}), std::invalid_argument);
  EXPECT_THROW(middleware::method_override({.methods = {"P T"}}), std::invalid_argument);
}

}  // namespace
}  // namespace viaduct::test
