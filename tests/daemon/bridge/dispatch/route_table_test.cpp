#include "daemon/bridge/dispatch/route_table.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

protocol::Pairs params(std::initializer_list<protocol::Pairs::Item> items) {
  protocol::Pairs pairs;
  for (const auto& [name, value] : items) pairs.add(name, value);
  return pairs;
}

/// The app of the route for a request, or -1.
int app_for(const RouteTable& table, std::initializer_list<protocol::Pairs::Item> items) {
  const Route* const route = table.find(params(items));
  return route == nullptr ? -1 : static_cast<int>(route->app);
}

int app_for(const RouteTable& table, const char* path) {
  return app_for(table, {{"SCRIPT_NAME", path}});
}

TEST(RouteTable, LongestPrefixOfWholeSegmentsWins) {
  // Deliberately not in order.
  const RouteTable table({{.path = "/", .app = 0},
                          {.path = "/blog", .app = 1},
                          {.path = "/blog/admin", .app = 2},
                          {.path = "/b", .app = 3}});
  struct Row {
    const char* path;
    int app;
  };
  for (const Row& row :
       {Row{"/", 0}, Row{"", 0}, Row{"*", 0}, Row{"/x", 0}, Row{"/blogger", 0}, Row{"/blo", 0},
        Row{"/b", 3}, Row{"/b/", 3}, Row{"/blog", 1}, Row{"/blog/", 1}, Row{"/blog/1", 1},
        Row{"/blog/administrator", 1}, Row{"/blog/admin", 2}, Row{"/blog/admin/x", 2},
        Row{"/BLOG", 0}, Row{"//blog", 0}, Row{"/blog?x", 0}, Row{"/blog//admin", 1}}) {
    EXPECT_EQ(app_for(table, row.path), row.app) << row.path;
  }
}

TEST(RouteTable, NoRouteForWhatNoPrefixCovers) {
  const RouteTable table({{.path = "/shop", .app = 0}, {.path = "/blog", .app = 1}});
  for (const char* const path : {"", "/", "/shopping", "/x/shop", "shop", "*"}) {
    EXPECT_EQ(app_for(table, path), -1) << path;
  }
  EXPECT_EQ(app_for(RouteTable({}), "/"), -1);
}

TEST(RouteTable, SingleRouteToEverythingNeedsNoPath) {
  EXPECT_EQ(app_for(RouteTable({{.path = "/", .app = 5}}),
                    std::initializer_list<protocol::Pairs::Item>{}),
            5);
}

TEST(RouteTable, ExactPathsAreNoPrefixes) {
  const RouteTable table({{.path = "/a", .app = 1},
                          {.path = "/a", .exact = true, .app = 2},
                          {.path = "/b/", .exact = true, .app = 3},
                          {.path = "/", .exact = true, .app = 4}});
  struct Row {
    const char* path;
    int app;
  };
  for (const Row& row : {Row{"/a", 2}, Row{"/a/", 1}, Row{"/a/x", 1}, Row{"/b/", 3}, Row{"/b", -1},
                         Row{"/b/x", -1}, Row{"/", 4}, Row{"/x", -1}, Row{"", -1}}) {
    EXPECT_EQ(app_for(table, row.path), row.app) << row.path;
  }
  EXPECT_EQ(app_for(RouteTable({{.path = "/", .exact = true, .app = 1}}), "/x"), -1);
}

TEST(RouteTable, LongestHostWinsOverLongestPath) {
  const RouteTable table({{.path = "/very/long/path", .app = 0},
                          {.host = "*.org", .path = "/", .app = 1},
                          {.host = "*.example.org", .path = "/x", .app = 2},
                          {.host = "shop.example.org", .path = "/", .app = 3},
                          {.host = "[::1]", .path = "/", .app = 4}});
  struct Row {
    const char* host;
    const char* path;
    int app;
  };
  for (const Row& row : {
           Row{"shop.example.org", "/x", 3},
           Row{"SHOP.Example.ORG", "/x", 3},
           Row{"shop.example.org:8080", "/x", 3},
           Row{"shop.example.org.", "/x", 3},
           Row{"shop.example.org.:443", "/x", 3},
           Row{"blog.example.org", "/x", 2},
           Row{"a.b.example.org", "/x/y", 2},
           Row{"blog.example.org", "/y", 1},  // its own host has no route for it
           Row{"example.org", "/x", 1},       // a suffix has something in front
           Row{".example.org", "/x", 1},
           Row{"notexample.org", "/x", 1},
           Row{"org", "/very/long/path", 0},
           Row{"example.com", "/very/long/path", 0},
           Row{"example.com", "/x", -1},
           Row{"[::1]:8080", "/", 4},
           Row{"[::1]", "/", 4},
           Row{"[::2]", "/", -1},
           Row{"[::1", "/", -1},
           Row{"", "/very/long/path", 0},
           Row{"*.example.org", "/x", 2},
       }) {
    EXPECT_EQ(app_for(table, {{"HTTP_HOST", row.host}, {"SCRIPT_NAME", row.path}}), row.app)
        << row.host << ' ' << row.path;
  }
}

TEST(RouteTable, HostIsTheOneThatTheClientNamed) {
  const RouteTable table({{.host = "a.test", .app = 1}, {.host = "b.test", .app = 2}});
  EXPECT_EQ(app_for(table, {{"SERVER_NAME", "a.test"}, {"HTTP_HOST", "b.test"}}), 2);
  EXPECT_EQ(app_for(table, {{"SERVER_NAME", "a.test"}}), 1);
  EXPECT_EQ(app_for(table, {{"SERVER_NAME", "a.test"}, {"HTTP_HOST", ""}}), 1);
  EXPECT_EQ(app_for(table, {{"SERVER_NAME", "c.test"}}), -1);
}

TEST(RouteTable, MethodsAndFieldsDecideAmongEqualPaths) {
  const RouteTable table({
      {.path = "/orders", .app = 0},
      {.path = "/orders", .methods = {"GET", "PUT"}, .app = 1},
      {.path = "/orders", .variable = "HTTP_X_BETA", .app = 2},
      {.path = "/orders", .variable = "HTTP_X_BETA", .value = "2", .app = 3},
      {.path = "/orders", .methods = {"GET"}, .variable = "HTTP_X_BETA", .value = "2", .app = 4},
      {.path = "/orders/old", .methods = {"DELETE"}, .app = 5},
  });
  struct Row {
    const char* method;
    const char* path;
    std::optional<const char*> beta;
    int app;
  };
  for (const Row& row : {
           Row{"POST", "/orders", std::nullopt, 0},
           Row{"GET", "/orders", std::nullopt, 1},
           Row{"HEAD", "/orders/1", std::nullopt, 1},
           Row{"PUT", "/orders", std::nullopt, 1},
           Row{"get", "/orders", std::nullopt, 0},
           Row{"GETS", "/orders", std::nullopt, 0},
           Row{"POST", "/orders", "", 2},
           Row{"POST", "/orders", "1", 2},
           Row{"POST", "/orders", "2", 3},
           Row{"GET", "/orders", "2", 4},
           Row{"HEAD", "/orders", "2", 4},
           // Of routes with as many conditions the one that was written first.
           Row{"GET", "/orders", "1", 1},
           Row{"DELETE", "/orders/old/1", "2", 5},
           Row{"DELETE", "/orders/new", std::nullopt, 0},
           Row{"POST", "/orders/old", "2", 3},
           Row{"GET", "/other", "2", -1},
       }) {
    protocol::Pairs pairs = params({{"REQUEST_METHOD", row.method}, {"SCRIPT_NAME", row.path}});
    if (row.beta) pairs.add("HTTP_X_BETA", *row.beta);
    const Route* const route = table.find(pairs);
    EXPECT_EQ(route == nullptr ? -1 : static_cast<int>(route->app), row.app)
        << row.method << ' ' << row.path << ' ' << row.beta.value_or("-");
  }
}

TEST(RouteTable, SingleRouteWithConditionsDoesNotTakeEverything) {
  const auto get = params({{"REQUEST_METHOD", "GET"}, {"SCRIPT_NAME", "/"}});
  EXPECT_EQ(RouteTable({{.host = "a.test"}}).find(get), nullptr);
  EXPECT_EQ(RouteTable({{.methods = {"POST"}}}).find(get), nullptr);
  EXPECT_EQ(RouteTable({{.variable = "HTTP_X"}}).find(get), nullptr);
  EXPECT_NE(RouteTable({{.methods = {"GET"}}}).find(get), nullptr);
}

struct PathRow {
  const char* front;
  std::initializer_list<protocol::Pairs::Item> params;
  const char* path;
};

TEST(RequestPath, IsFoundInWhatEachFrontServerSends) {
  const PathRow rows[] = {
      {"nginx without PATH_INFO",
       {{"SCRIPT_NAME", "/blog/1"}, {"DOCUMENT_URI", "/blog/1"}, {"REQUEST_URI", "/blog/1?q=2"}},
       "/blog/1"},
      {"nginx with a split path",
       {{"SCRIPT_NAME", "/blog"}, {"PATH_INFO", "/1"}, {"REQUEST_URI", "/blog/1?q"}},
       "/blog/1"},
      {"Apache mod_proxy_fcgi: all in SCRIPT_NAME",
       {{"SCRIPT_NAME", "/blog/1"},
        {"SCRIPT_FILENAME", "proxy:fcgi://localhost/blog/1"},
        {"REQUEST_URI", "/blog/1"}},
       "/blog/1"},
      {"Apache with an empty SCRIPT_NAME",
       {{"SCRIPT_NAME", ""}, {"PATH_INFO", "/blog/1"}, {"REQUEST_URI", "/blog/1"}},
       "/blog/1"},
      {"Caddy: PATH_INFO decoded",
       {{"SCRIPT_NAME", ""}, {"PATH_INFO", "/blog/\xc3\xa4"}, {"REQUEST_URI", "/blog/%C3%A4"}},
       "/blog/\xc3\xa4"},
      {"lighttpd",
       {{"SCRIPT_NAME", "/blog"}, {"PATH_INFO", "/1"}, {"REQUEST_URI", "/blog/1"}},
       "/blog/1"},
      {"HAProxy without path-info",
       {{"SCRIPT_NAME", "/blog/1"}, {"PATH_INFO", ""}, {"REQUEST_URI", "/blog/1"}},
       "/blog/1"},
      {"only DOCUMENT_URI", {{"DOCUMENT_URI", "/d"}, {"REQUEST_URI", "/r?x"}}, "/d"},
      {"only REQUEST_URI", {{"REQUEST_URI", "/blog/1?next=/a?b"}}, "/blog/1"},
      {"REQUEST_URI with an empty query", {{"REQUEST_URI", "/r?"}}, "/r"},
      {"nothing", {}, ""},
  };
  for (const PathRow& row : rows)
    EXPECT_EQ(request_path(params(row.params)), row.path) << row.front;
}

TEST(Mount, MovesThePrefixIntoScriptName) {
  struct Row {
    const char* path;
    const char* rest;
  };
  for (const Row& row : {Row{"/blog", ""}, Row{"/blog/", "/"}, Row{"/blog/1/2", "/1/2"},
                         Row{"/blog//x", "//x"}, Row{"/blog/%0a", "/%0a"}}) {
    for (const bool in_path_info : {false, true}) {
      protocol::Pairs pairs = in_path_info ? params({{"SCRIPT_NAME", ""}, {"PATH_INFO", row.path}})
                                           : params({{"SCRIPT_NAME", row.path}});
      apply_mount({.path = "/blog", .mount = true}, pairs);
      EXPECT_EQ(pairs.get("SCRIPT_NAME"), "/blog") << row.path;
      EXPECT_EQ(pairs.get("PATH_INFO"), row.rest) << row.path;
    }
  }
}

TEST(Mount, AtTheRootAllOfThePathIsPathInfo) {
  for (const auto& sent : {params({{"SCRIPT_NAME", "/blog/1"}, {"PATH_INFO", ""}}),
                           params({{"SCRIPT_NAME", "/blog"}, {"PATH_INFO", "/1"}}),
                           params({{"PATH_INFO", "/blog/1"}})}) {
    protocol::Pairs pairs = sent;
    apply_mount({.path = "/", .mount = true}, pairs);
    EXPECT_EQ(pairs.get("SCRIPT_NAME"), "");
    EXPECT_EQ(pairs.get("PATH_INFO"), "/blog/1");
  }
}

TEST(Mount, LeavesOtherRoutesAlone) {
  protocol::Pairs pairs = params({{"SCRIPT_NAME", "/blog"}, {"PATH_INFO", "/1"}});
  apply_mount({.path = "/blog"}, pairs);
  EXPECT_EQ(pairs.get("SCRIPT_NAME"), "/blog");
  EXPECT_EQ(pairs.get("PATH_INFO"), "/1");
}

}  // namespace
}  // namespace viaduct::daemon::bridge
