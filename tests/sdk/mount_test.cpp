#include <gmock/gmock.h>

#include "tests/sdk/support/call.hpp"

namespace viaduct::test {
namespace {

using ::testing::ElementsAre;

void show_path(Request& req, Response& res) {
  res.send(std::string(req.script_name()) + " | " + std::string(req.path()) + " | " +
           std::string(req.raw_path()) + " | " + req.url("/to"));
}

TEST(MountTest, MovesThePrefixFromPathToScriptName) {
  Router inner;
  inner.get("/{rest:path}", show_path);
  Router middle;
  middle.mount("/in ner", inner);
  App app;
  app.mount("/a", middle);
  app.mount("/t/{tenant}", inner);
  struct {
    const char* target;
    const char* script_name;  // as the front server sends it
    const char* result;
  } const cases[] = {
      {"/a/in%20ner", "", "/a/in ner | / | / | /a/in%20ner/to"},
      {"/a/in%20ner/", "", "/a/in ner | / | / | /a/in%20ner/to"},
      {"/a/in%20ner/x%2Fy/z?q=1", "", "/a/in ner | /x/y/z | /x%2Fy/z | /a/in%20ner/to"},
      {"/front%20end/a/in%20ner/x", "/front end",
       "/front end/a/in ner | /x | /x | /front%20end/a/in%20ner/to"},
      {"/t/acme/x", "", "/t/acme | /x | /x | /t/acme/to"},
      {"/t/%2Fevil.example/x", "", "/t//evil.example | /x | /x | /t/%2Fevil.example/to"},
      {"/t/a\"b/x", "", "/t/a\"b | /x | /x | /t/a%22b/to"},
  };
  for (const auto& c : cases) {
    Call call{.target = c.target};
    if (*c.script_name != '\0') {
      call.variables = {{"SCRIPT_NAME", c.script_name}, {"PATH_INFO", "/a/in ner/x"}};
    }
    EXPECT_EQ(answer(app, call).body, c.result) << c.target;
  }
}

TEST(MountTest, CopiesTheRouter) {
  Router inner;
  inner.get("/one", show_path);
  App app;
  app.mount("/m", inner);
  inner.get("/two", show_path);
  EXPECT_EQ(answer(app, {.target = "/m/one"}).status, 200);
  EXPECT_EQ(answer(app, {.target = "/m/two"}).status, 404);
}

TEST(MountTest, EmptyPrefixAddsRoutesAsTheyAre) {
  Router inner;
  inner.get("/x", show_path);
  App app;
  app.get("/y", show_path).mount("", inner);
  EXPECT_EQ(answer(app, {.target = "/x"}).body, " | /x | /x | /to");
  EXPECT_EQ(answer(app, {.target = "/y"}).status, 200);
}

TEST(MountTest, CapturesOfThePrefixAreArguments) {
  Router inner;
  inner.get("/items/{id:int}", [](Request& req, Response& res) {
    res.send(req.arg<std::string>("tenant") + ' ' + std::to_string(req.arg<int>("id")));
  });
  App app;
  app.mount("/{tenant}", inner);
  EXPECT_EQ(answer(app, {.target = "/acme/items/7"}).body, "acme 7");
}

TEST(MountTest, PathIsBackAfterTheMountedRouter) {
  std::vector<std::string> seen;
  Router inner;
  inner.get("/fails", [](Request&, Response&) { throw http_error(418, "no"); });
  App app;
  app.use([&](Request& req, Response& res, const Handler& next) {
    try {
      next(req, res);
    } catch (const http_error&) {
      seen.push_back(std::string(req.script_name()) + '|' + std::string(req.path()));
      throw;
    }
  });
  app.mount("/m", inner);
  EXPECT_EQ(answer(app, {.target = "/m/fails"}).status, 418);
  EXPECT_THAT(seen, ElementsAre("|/m/fails"));
}

TEST(MountTest, MethodsAreThoseOfAllRoutersAtThePath) {
  Router inner;
  inner.put("/x", show_path);
  App app;
  app.get("/m/x", show_path).mount("/m", inner);
  const Answer refused = answer(app, {.method = "DELETE", .target = "/m/x"});
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.field("Allow"), "GET, HEAD, PUT, OPTIONS");
  const Answer options = answer(app, {.method = "OPTIONS", .target = "/m/x"});
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.field("Allow"), "GET, HEAD, PUT, OPTIONS");
}

}  // namespace
}  // namespace viaduct::test
