#include <gmock/gmock.h>
#include <viaduct/lint.hpp>

#include "tests/sdk/support/call.hpp"

namespace viaduct::test {
namespace {

// What lint() says about a handler; empty when nothing.
std::string verdict(const Handler& handler) {
  std::string said;
  App app;
  app.get("/", [&](Request& req, Response& res) {
    try {
      lint(handler)(req, res);
    } catch (const std::logic_error& error) {
      said = error.what();
    }
  });
  answer(app, {});
  return said;
}

Handler with(int status, const char* name, const char* value) {
  return [=](Request&, Response& res) { res.status(status).headers().add(name, value); };
}

TEST(LintTest, WhatKeepsToTheContractPasses) {
  for (const Handler& handler : {
           Handler([](Request&, Response& res) { res.send("hello"); }),
           Handler([](Request&, Response& res) { res.status(204); }),
           Handler([](Request&, Response& res) { res.redirect("/x"); }),
           Handler([](Request&, Response& res) { res.headers().set("Location", "/x"); }),
           Handler([](Request&, Response&) { throw http_error(404, "no"); }),
           Handler([](Request&, Response& res) {
             res.write("a");
             res.flush();
             res.write("b");
           }),
           with(200, "Content-Type", "text/html; charset=utf-8"),
           with(200, "ETag", "W/\"x\""),
           with(401, "WWW-Authenticate", "Basic"),
           with(405, "Allow", "GET"),
           with(206, "Content-Range", "bytes 0-1/5"),
       }) {
    EXPECT_EQ(verdict(handler), "");
  }
}

TEST(LintTest, NamesTheRule) {
  struct {
    Handler handler;
    const char* rule;
  } const cases[] = {
      {[](Request&, Response& res) { res.status(204).send("x"); }, "an answer 204 has no body"},
      {[](Request&, Response& res) {
         res.status(304).flush();
         res.write("x");
       },
       "an answer 304 has no body"},
      {[](Request&, Response& res) { res.status(601); }, "the status is from 200 to 599"},
      {[](Request&, Response& res) { res.status(303); }, "an answer 303 has Location"},
      {[](Request&, Response& res) { res.status(401); }, "an answer 401 has WWW-Authenticate"},
      {[](Request&, Response& res) { res.status(405); }, "an answer 405 has Allow"},
      {[](Request&, Response& res) { res.status(206); }, "an answer 206 has Content-Range"},
      {[](Request&, Response&) { throw http_error(401, "x"); },
       "an answer 401 has WWW-Authenticate"},
      {[](Request&, Response&) { throw http_error(200, "x"); },
       "the status of an http_error is from 400 to 599"},
      {with(204, "Content-Length", "0"), "an answer 204 has no Content-Length"},
      {with(200, "Content-Type", "html"), "Content-Type is type/subtype"},
      {with(200, "Content-Type", "text/"), "Content-Type is type/subtype"},
      {with(200, "ETag", "abc"), "ETag is a quoted tag"},
      {with(200, "Connection", "close"), "Connection is left to the front server"},
      {with(200, "Transfer-Encoding", "chunked"), "Transfer-Encoding is left to the front server"},
      {with(200, "Set-Cookie", "a=b; SameSite=None"), "a cookie with SameSite=None is Secure"},
      {[](Request&, Response& res) {
         res.headers().add("Access-Control-Allow-Origin", "*");
         res.headers().add("Access-Control-Allow-Credentials", "true");
       },
       "no answer is open to every origin with credentials"},
      {[](Request&, Response& res) {
         res.headers().add("ETag", "\"a\"").add("ETag", "\"b\"");
         res.flush();
       },
       "ETag stands there once at most"},
  };
  for (const auto& c : cases) EXPECT_EQ(verdict(c.handler), std::string("lint: ") + c.rule);
}

TEST(LintTest, ResponseMustNotHaveStarted) {
  EXPECT_EQ(verdict([](Request& req, Response& res) {
              res.flush();
              lint([](Request&, Response&) {})(req, res);
            }),
            "lint: the response has not started before the handler is called");
  EXPECT_THROW(lint(Handler()), std::invalid_argument);
}

TEST(LintTest, ServesAsMiddleware) {
  App app;
  app.use([](Request& req, Response& res, const Handler& next) { lint(next)(req, res); });
  app.get("/bad", [](Request&, Response& res) { res.status(204).send("x"); });
  app.get("/good", [](Request&, Response& res) { res.send("x"); });
  EXPECT_EQ(answer(app, {.target = "/bad"}).status, 500);
  EXPECT_EQ(answer(app, {.target = "/good"}).status, 200);
  EXPECT_EQ(answer(app, {.target = "/none"}).status, 404);
  EXPECT_EQ(answer(app, {.method = "PUT", .target = "/good"}).status, 405);
}

}  // namespace
}  // namespace viaduct::test
