#include "daemon/bridge/dispatch/route_table.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

protocol::Pairs params(std::initializer_list<protocol::Pairs::Item> items) {
  protocol::Pairs pairs;
  for (const auto& [name, value] : items) pairs.add(name, value);
  return pairs;
}

TEST(RouteTable, LongestPrefixOfWholeSegmentsWins) {
  // Deliberately not in order.
  const RouteTable table(
      {{"/", false, 0}, {"/blog", false, 1}, {"/blog/admin", false, 2}, {"/b", false, 3}});
  struct Row {
    const char* path;
    std::uint32_t app;
  };
  for (const Row& row :
       {Row{"/", 0}, Row{"", 0}, Row{"*", 0}, Row{"/x", 0}, Row{"/blogger", 0}, Row{"/blo", 0},
        Row{"/b", 3}, Row{"/b/", 3}, Row{"/blog", 1}, Row{"/blog/", 1}, Row{"/blog/1", 1},
        Row{"/blog/administrator", 1}, Row{"/blog/admin", 2}, Row{"/blog/admin/x", 2},
        Row{"/BLOG", 0}, Row{"//blog", 0}, Row{"/blog?x", 0}, Row{"/blog//admin", 1}}) {
    const Route* const route = table.match(row.path);
    ASSERT_NE(route, nullptr) << row.path;
    EXPECT_EQ(route->app, row.app) << row.path;
  }
}

TEST(RouteTable, NoRouteForWhatNoPrefixCovers) {
  const RouteTable table({{"/shop", false, 0}, {"/blog", false, 1}});
  for (const char* const path : {"", "/", "/shopping", "/x/shop", "shop", "*"}) {
    EXPECT_EQ(table.match(path), nullptr) << path;
  }
  EXPECT_EQ(RouteTable({}).match("/"), nullptr);
}

TEST(RouteTable, SingleRouteToEverythingNeedsNoPath) {
  const RouteTable table({{"/", false, 5}});
  const Route* const route = table.find({});
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(route->app, 5u);
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
      apply_mount({"/blog", true, 0}, pairs);
      EXPECT_EQ(pairs.get("SCRIPT_NAME"), "/blog") << row.path;
      EXPECT_EQ(pairs.get("PATH_INFO"), row.rest) << row.path;
    }
  }
}

TEST(Mount, LeavesOtherRoutesAlone) {
  for (const Route& route : {Route{"/blog", false, 0}, Route{"/", true, 0}}) {
    protocol::Pairs pairs = params({{"SCRIPT_NAME", "/blog"}, {"PATH_INFO", "/1"}});
    apply_mount(route, pairs);
    EXPECT_EQ(pairs.get("SCRIPT_NAME"), "/blog");
    EXPECT_EQ(pairs.get("PATH_INFO"), "/1");
  }
}

}  // namespace
}  // namespace viaduct::daemon::bridge
