#include <unistd.h>

#include <iostream>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/sdk/support/call.hpp"

namespace viaduct::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class UseTest : public ::testing::Test {
 protected:
  Middleware note(const std::string& name) {
    return [this, name](Request& req, Response& res, const Handler& next) {
      seen.push_back(name + ' ' + std::string(req.path()));
      try {
        next(req, res);
        seen.push_back('/' + name);
      } catch (const http_error& error) {
        seen.push_back('!' + name + ' ' + std::to_string(error.status));
        throw;
      }
    };
  }
  Handler handler() {
    return [this](Request& req, Response& res) {
      seen.push_back("handler " + std::string(req.path()));
      res.send("ok");
    };
  }
  std::vector<std::string> ask(const Call& call) {
    seen.clear();
    last = answer(app, call);
    return seen;
  }

  App app;
  std::vector<std::string> seen;
  Answer last;
};

TEST_F(UseTest, FirstIsTheOutermostWhateverTheOrderOfRoutes) {
  app.use(note("a"));
  app.get("/", handler());
  app.use(note("b"));
  EXPECT_THAT(ask({}), ElementsAre("a /", "b /", "handler /", "/b", "/a"));
}

TEST_F(UseTest, MountedMiddlewareStandsAroundWhatIsBelowOnly) {
  Router inner;
  inner.use(note("inner")).get("/x", handler());
  Router middle;
  middle.use(note("middle")).mount("/i", inner).get("/x", handler());
  app.use(note("app")).mount("/m", middle).get("/x", handler());
  EXPECT_THAT(ask({.target = "/x"}), ElementsAre("app /x", "handler /x", "/app"));
  EXPECT_THAT(ask({.target = "/m/x"}),
              ElementsAre("app /m/x", "middle /x", "handler /x", "/middle", "/app"));
  EXPECT_THAT(ask({.target = "/m/i/x"}), ElementsAre("app /m/i/x", "middle /i/x", "inner /x",
                                                     "handler /x", "/inner", "/middle", "/app"));
}

TEST_F(UseTest, SeesRoutingErrorsOfItsPart) {
  Router inner;
  inner.use(note("inner")).get("/x", handler());
  app.use(note("app")).mount("/m", inner);
  EXPECT_THAT(ask({.target = "/none"}), ElementsAre("app /none", "!app 404"));
  EXPECT_THAT(ask({.target = "/m/none"}),
              ElementsAre("app /m/none", "inner /none", "!inner 404", "!app 404"));
  EXPECT_THAT(ask({.method = "PUT", .target = "/m/x"}),
              ElementsAre("app /m/x", "inner /x", "!inner 405", "!app 405"));
  EXPECT_THAT(ask({.target = "/m/%zz"}), ElementsAre("app /m/%zz", "!app 400"));
  EXPECT_EQ(last.status, 400);
  EXPECT_THAT(ask({.method = "OPTIONS", .target = "/m/x"}),
              ElementsAre("app /m/x", "inner /x", "/inner", "/app"));
  EXPECT_EQ(last.status, 204);
}

TEST_F(UseTest, MayAnswerItself) {
  app.use([](Request&, Response& res, const Handler&) { res.status(403).send("no"); });
  app.get("/", handler());
  EXPECT_THAT(ask({}), IsEmpty());
  EXPECT_EQ(last.status, 403);
  EXPECT_EQ(last.body, "no");
}

TEST_F(UseTest, MayAnswerForWhatWasThrown) {
  app.use([](Request& req, Response& res, const Handler& next) {
    try {
      next(req, res);
    } catch (const std::runtime_error& error) {
      res.status(503).send(error.what());
    }
  });
  app.get("/", [](Request&, Response&) { throw std::runtime_error("later"); });
  ask({});
  EXPECT_EQ(last.status, 503);
  EXPECT_EQ(last.body, "later");
}

TEST_F(UseTest, WhatItThrowsIsTheAnswer) {
  app.use([](Request&, Response&, const Handler&) { throw http_error(401, "who?"); });
  app.get("/", handler());
  ask({});
  EXPECT_EQ(last.status, 401);
}

TEST_F(UseTest, HooksHoldForErrorsToo) {
  app.use([](Request& req, Response& res, const Handler& next) {
    res.headers().set("X-Lost", "1");
    res.before_start([](Response& head) { head.headers().set("X-Kept", "1"); });
    next(req, res);
  });
  ask({.target = "/none"});
  EXPECT_EQ(last.status, 404);
  EXPECT_EQ(last.field("X-Kept"), "1");
  EXPECT_FALSE(last.field("X-Lost"));
}

TEST_F(UseTest, HooksOfOneRequestAreNotThoseOfTheNext) {
  int calls = 0;
  app.get("/", [&](Request&, Response& res) { res.before_start([&](Response&) { ++calls; }); });
  ask({});
  ask({});
  EXPECT_EQ(calls, 2);
}

TEST_F(UseTest, ConflictsAreFoundBeforeTheFirstRequest) {
  app.get("/a/{x}", handler()).get("/a/{y}", handler());
  try {
    ask({});
    ADD_FAILURE();
  } catch (const std::logic_error& error) {
    EXPECT_STREQ(error.what(), "routes GET /a/{x} and GET /a/{y} fit the same requests");
  }
}

TEST_F(UseTest, ConflictsEndRunWith70BeforeAnythingStarts) {
  app.get("/a/{x}", handler()).get("/a/{y}", handler());
  bool started = false;
  app.on_startup([&] { started = true; });
  std::string words[] = {"shop", "--fastcgi",
                         "unix:@viaduct-use-test-" + std::to_string(::getpid())};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  std::ostringstream errors;
  std::streambuf* const usual = std::cerr.rdbuf(errors.rdbuf());
  const int status = run(3, argv, app);
  std::cerr.rdbuf(usual);
  EXPECT_EQ(status, 70);
  EXPECT_EQ(errors.str(), "shop: routes GET /a/{x} and GET /a/{y} fit the same requests\n");
  EXPECT_FALSE(started);
}

}  // namespace
}  // namespace viaduct::test
