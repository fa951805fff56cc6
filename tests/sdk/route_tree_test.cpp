#include "sdk/src/route_tree.hpp"

#include <stdexcept>
#include <string>

#include <gmock/gmock.h>

namespace viaduct::detail {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void nothing(Request&, Response&) {}

// Adds routes whose first capture name, or pattern, tells them apart.
RouteTree tree(std::initializer_list<const char*> patterns) {
  RouteTree routes;
  for (const char* pattern : patterns) routes.add("GET", pattern, nothing);
  return routes;
}

// "a=1 b=2" for a match, "-" for none.
std::string found(const RouteTree& routes, std::string_view path, std::string_view method = "GET") {
  std::vector<std::string> values;
  const auto match = routes.match(method, path, values);
  if (match.handler == nullptr) return match.malformed ? "malformed" : "-";
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    text += (i > 0 ? " " : "") + match.names->at(i) + '=' + values[i];
  }
  return text;
}

TEST(RouteTreeTest, MatchesSegmentBySegment) {
  const RouteTree routes = tree(
      {"/", "/users", "/users/{id:int}", "/users/{name}/posts", "/files/{rest:path}", "/a b/c"});
  struct {
    const char* path;
    const char* result;
  } const cases[] = {
      {"/", ""},
      {"/users", ""},
      {"/users/", "-"},
      {"/users/42", "id=42"},
      {"/users/-7", "id=-7"},
      {"/users/9223372036854775807", "id=9223372036854775807"},
      {"/users/9223372036854775808", "-"},
      {"/users/4x", "-"},
      {"/users/+4", "-"},
      {"/users/ann/posts", "name=ann"},
      {"/users/42/posts", "name=42"},
      {"/users//posts", "-"},
      {"/users/a%2Fb/posts", "name=a/b"},
      {"/users/caf%C3%A9/posts", "name=caf\xC3\xA9"},
      {"/files", "-"},
      {"/files/", "rest="},
      {"/files/a/b.txt", "rest=a/b.txt"},
      {"/files/a%2Fb//c/", "rest=a/b//c/"},
      {"/a%20b/c", ""},
      {"/a%20b/%63", ""},
      {"/a+b/c", "-"},
      {"/users/%zz/posts", "malformed"},
      {"/files/%", "malformed"},
      {"", "-"},
      {"*", "-"},
  };
  for (const auto& c : cases) EXPECT_EQ(found(routes, c.path), c.result) << c.path;
}

TEST(RouteTreeTest, TheMoreParticularPatternWinsWhateverTheOrder) {
  const RouteTree routes = tree({"/{tail:path}", "/{any}", "/{n:int}", "/new"});
  EXPECT_EQ(found(routes, "/new"), "");
  EXPECT_EQ(found(routes, "/12"), "n=12");
  EXPECT_EQ(found(routes, "/x"), "any=x");
  EXPECT_EQ(found(routes, "/x/y"), "tail=x/y");
  EXPECT_EQ(found(routes, "/new/y"), "tail=new/y");
}

TEST(RouteTreeTest, HeadIsAnsweredByGet) {
  RouteTree routes = tree({"/a", "/b"});
  routes.add("HEAD", "/b", nothing);
  EXPECT_EQ(found(routes, "/a", "HEAD"), "");
  std::vector<std::string> values;
  EXPECT_NE(routes.match("HEAD", "/b", values).handler, routes.match("GET", "/b", values).handler);
}

TEST(RouteTreeTest, NamesTheMethodsOfThePath) {
  RouteTree routes;
  routes.add("GET, PUT", "/x", nothing);
  routes.add("DELETE", "/{any}", nothing);
  std::vector<std::string> values;
  EXPECT_THAT(routes.match("POST", "/x", values).allowed,
              ElementsAre("DELETE", "GET", "HEAD", "PUT"));
  EXPECT_EQ(routes.match("DELETE", "/x", values).allowed.size(), 0U);
  EXPECT_EQ(found(routes, "/x", "DELETE"), "any=x");
  EXPECT_TRUE(routes.match("POST", "/y/z", values).allowed.empty());
}

TEST(RouteTreeTest, MethodsOfOnePathMayNameCapturesDifferently) {
  RouteTree routes;
  routes.add("GET", "/{a}", nothing);
  routes.add("PUT", "/{b}", nothing);
  EXPECT_EQ(found(routes, "/1", "GET"), "a=1");
  EXPECT_EQ(found(routes, "/1", "PUT"), "b=1");
}

TEST(RouteTreeTest, MalformedPatternsAreNamed) {
  for (const char* pattern : {"", "x", "/a{b}", "/{b", "/b}", "/{}", "/{:int}", "/{a:float}",
                              "/{a}/{a}", "/{a:path}/b", "/{a b}"}) {
    RouteTree routes;
    try {
      routes.add("GET", pattern, nothing);
      ADD_FAILURE() << pattern;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), HasSubstr(std::string("route ") + pattern + ": "));
    }
  }
  RouteTree routes;
  EXPECT_THROW(routes.add("", "/", nothing), std::invalid_argument);
  EXPECT_THROW(routes.add("GET,,PUT", "/", nothing), std::invalid_argument);
  EXPECT_THROW(routes.add("GET", "/", Handler()), std::invalid_argument);
}

TEST(RouteTreeTest, ConflictsNameBothPatterns) {
  Router router;
  router.get("/a/{x}", nothing).post("/a/{x}", nothing);
  EXPECT_NO_THROW(require_distinct_routes(router));
  Router copy = router;
  copy.get("/a/{y}", nothing);
  EXPECT_THAT(RouterAccess::routes(copy).conflicts(),
              ElementsAre("routes GET /a/{x} and GET /a/{y} fit the same requests"));
  EXPECT_THROW(require_distinct_routes(copy), std::logic_error);
  EXPECT_NO_THROW(require_distinct_routes(router));
}

TEST(RouteTreeTest, MountedRoutesConflictAsIfWrittenOut) {
  Router blog;
  blog.get("/{id:int}", nothing).get("/new", nothing).get("/new", nothing);
  Router router;
  router.get("/blog/{number:int}", nothing).get("/blog/{name}", nothing);
  router.mount("/blog", blog);
  EXPECT_THAT(RouterAccess::routes(router).conflicts(),
              ::testing::UnorderedElementsAre(
                  "routes GET /blog/{number:int} and GET /blog/{id:int} fit the same requests",
                  "mounted at /blog: routes GET /new and GET /new fit the same requests"));
}

TEST(RouteTreeTest, MountedRoutesHaveThePrefixInFront) {
  RouteTree inner = tree({"/", "/x", "/{name}", "/deep/{rest:path}"});
  RouteTree outer = tree({"/blog/about", "/blog/{n:int}"});
  outer.mount("/blog", inner);
  outer.mount("/t/{tenant}/", inner);
  struct {
    const char* path;
    const char* result;
  } const cases[] = {
      {"/blog", ""},
      {"/blog/", ""},
      {"/blog//", "-"},
      {"/blog/x", ""},
      {"/blog/about", ""},
      {"/blog/12", "n=12"},
      {"/blog/else", "name=else"},
      {"/blog/deep/a/b", "rest=a/b"},
      {"/blogger", "-"},
      {"/t", "-"},
      {"/t/", "-"},
      {"/t/acme", "tenant=acme"},
      {"/t/acme/", "tenant=acme"},
      {"/t/acme/y", "tenant=acme name=y"},
      {"/t/a%2Fb/deep/", "tenant=a/b rest="},
  };
  for (const auto& c : cases) EXPECT_EQ(found(outer, c.path), c.result) << c.path;
}

TEST(RouteTreeTest, PrefixAloneAsksOnlyTheMountedRouterForItsRoot) {
  RouteTree outer = tree({"/blog/"});
  RouteTree inner;
  inner.add("POST", "/{rest:path}", nothing);
  outer.mount("/blog", inner);
  EXPECT_EQ(found(outer, "/blog"), "-");
  EXPECT_EQ(found(outer, "/blog/"), "");
  EXPECT_EQ(found(outer, "/blog", "POST"), "rest=");
  std::vector<std::string> values;
  EXPECT_THAT(outer.match("PUT", "/blog", values).allowed, ElementsAre("POST"));
  EXPECT_THAT(outer.match("PUT", "/blog/", values).allowed, ElementsAre("GET", "HEAD", "POST"));
}

TEST(RouteTreeTest, WhatIsNotFoundBelongsToTheLongestPrefix) {
  RouteTree innermost = tree({"/only"});
  RouteTree inner;
  inner.mount("/sub", innermost);
  RouteTree outer = tree({"/"});
  outer.mount("/m", inner);
  std::vector<std::string> values;
  const auto depth = [&](const char* method, const char* path) {
    return outer.scope(outer.match(method, path, values).scope).depth;
  };
  EXPECT_EQ(depth("GET", "/else"), 0U);
  EXPECT_EQ(depth("GET", "/m/else"), 1U);
  EXPECT_EQ(depth("GET", "/m/sub/else"), 2U);
  EXPECT_EQ(depth("GET", "/m/sub/only"), 2U);
  EXPECT_EQ(depth("PUT", "/m/sub/only"), 2U);
  EXPECT_EQ(depth("PUT", "/"), 0U);
}

TEST(RouteTreeTest, MalformedMountsAreNamed) {
  for (const char* prefix : {"blog", "/{rest:path}", "/{a", "/x/{id}"}) {
    Router router;
    Router inner;
    inner.get("/{id}", nothing);
    EXPECT_THROW(router.mount(prefix, inner), std::invalid_argument) << prefix;
  }
  Router router;
  EXPECT_THROW(router.use(Middleware()), std::invalid_argument);
}

TEST(RouteTreeTest, ManyRoutesOfOneLevelAreTold) {
  RouteTree routes;
  for (int i = 0; i < 10000; ++i) {
    routes.add("GET", "/r" + std::to_string(i) + "/{x" + std::to_string(i) + "}", nothing);
  }
  for (const int i : {0, 1, 4999, 9999}) {
    EXPECT_EQ(found(routes, "/r" + std::to_string(i) + "/v"), "x" + std::to_string(i) + "=v");
  }
  EXPECT_EQ(found(routes, "/r10000/v"), "-");
}

TEST(RouteTreeTest, ManySegmentsCostNoRecursion) {
  const RouteTree routes = tree({"/{a}/{b}", "/x/{rest:path}"});
  std::string path = "/x";
  for (int i = 0; i < 30000; ++i) path += "/y";
  EXPECT_EQ(found(routes, path).size(), path.size() - 3 + 5);
}

}  // namespace
}  // namespace viaduct::detail
