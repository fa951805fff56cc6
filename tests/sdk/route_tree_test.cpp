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

TEST(RouteTreeTest, SecondHandlerIsAnError) {
  Router router;
  router.get("/a/{x}", nothing).post("/a/{x}", nothing);
  EXPECT_THROW(router.get("/a/{y}", nothing), std::logic_error);
  Router copy = router;
  copy.del("/a/{z}", nothing);
  EXPECT_NO_THROW(router.del("/a/{z}", nothing));
}

TEST(RouteTreeTest, ManySegmentsCostNoRecursion) {
  const RouteTree routes = tree({"/{a}/{b}", "/x/{rest:path}"});
  std::string path = "/x";
  for (int i = 0; i < 30000; ++i) path += "/y";
  EXPECT_EQ(found(routes, path).size(), path.size() - 3 + 5);
}

}  // namespace
}  // namespace viaduct::detail
