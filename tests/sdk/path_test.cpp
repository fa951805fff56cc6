#include "sdk/src/path.hpp"

#include <string>

#include <gtest/gtest.h>

namespace viaduct::detail {
namespace {

struct Case {
  const char* name;
  PathVariables variables;
  const char* script_name;
  const char* path;
  const char* raw_path;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class PathTest : public ::testing::TestWithParam<Case> {};

TEST_P(PathTest, IsDerived) {
  RequestPath path;
  ASSERT_TRUE(derive_path(GetParam().variables, path));
  EXPECT_EQ(path.script_name, GetParam().script_name);
  EXPECT_EQ(path.path, GetParam().path);
  EXPECT_EQ(path.raw_path, GetParam().raw_path);
}

// Variables as the servers were seen to send them.
INSTANTIATE_TEST_SUITE_P(
    Fronts, PathTest,
    ::testing::Values(
        Case{"nginx_stock_params",
             {.request_uri = "/shop/a%20b?x=1",
              .script_name = "/shop/a b",
              .document_uri = "/shop/a b",
              .script_filename = "/usr/share/nginx/html/shop/a b",
              .server_software = "nginx/1.22.1"},
             "",
             "/shop/a b",
             "/shop/a%20b"},
        Case{"nginx_normalised",
             {.request_uri = "/app.fcgi/a%20b//c/../d%2Fe?x=1&m=ok",
              .script_name = "/app.fcgi",
              .path_info = "/a b/d/e",
              .document_uri = "/app.fcgi/a b/d/e",
              .server_software = "nginx/1.22.1"},
             "/app.fcgi",
             "/a b/d/e",
             "/a%20b/d/e"},
        Case{"apache_mod_fcgid_by_name",
             {.request_uri = "/app?x=1",
              .script_name = "/app",
              .script_filename = "/srv/app.fcgi",
              .server_software = "Apache/2.4.71 (Debian)",
              .program = "/srv/app.fcgi"},
             "/app",
             "/",
             "/"},
        Case{"apache_mod_fcgid_of_another_program",
             {.request_uri = "/app?x=1",
              .script_name = "/app",
              .script_filename = "/srv/app.fcgi",
              .server_software = "Apache/2.4.71 (Debian)",
              .program = "/srv/wrapper"},
             "",
             "/app",
             "/app"},
        Case{"nginx_encoded_slash",
             {.request_uri = "/app.fcgi/d%2Fe",
              .script_name = "/app.fcgi",
              .path_info = "/d/e",
              .server_software = "nginx/1.22.1"},
             "/app.fcgi",
             "/d/e",
             "/d%2Fe"},
        Case{"nginx_rewritten",
             {.request_uri = "/old/x",
              .script_name = "/new/x",
              .document_uri = "/new/x",
              .server_software = "nginx/1.22.1"},
             "",
             "/new/x",
             "/new/x"},
        Case{"nginx_mount_itself",
             {.request_uri = "/app.fcgi",
              .script_name = "/app.fcgi",
              .path_info = "",
              .document_uri = "/app.fcgi",
              .server_software = "nginx/1.22.1"},
             "/app.fcgi",
             "/",
             "/"},
        Case{"nginx_stock_scgi",
             {.request_uri = "/app/x%20y?m=1", .document_uri = "/app/x y"},
             "",
             "/app/x y",
             "/app/x%20y"},
        Case{"apache_proxy_fcgi",
             {.request_uri = "/app.fcgi/a%20b//c/../d+e?x=1",
              .script_name = "/app.fcgi/a b/d+e",
              .script_filename = "proxy:fcgi://localhost/app.fcgi/a%20b/d+e",
              .server_software = "Apache/2.4.71 (Debian)"},
             "",
             "/app.fcgi/a b/d+e",
             "/app.fcgi/a%20b/d+e"},
        Case{"apache_proxy_scgi",
             {.request_uri = "/app/x%20y?m=chunk",
              .script_name = "/app/x y",
              .script_filename = "proxy:scgi://localhost/app/x%20y"},
             "",
             "/app/x y",
             "/app/x%20y"},
        Case{"caddy_split",
             {.request_uri = "/app.fcgi/a%20b//c/../d+e?x=1",
              .script_name = "/app.fcgi",
              .path_info = "/a b//c/../d+e",
              .document_uri = "/app.fcgi",
              .server_software = "Caddy/2.6.2"},
             "/app.fcgi",
             "/a b//c/../d+e",
             "/a%20b//c/../d+e"},
        Case{"caddy_without_split",
             {.request_uri = "/shop/1",
              .script_name = "/shop/1",
              .path_info = "",
              .document_uri = "/shop/1",
              .server_software = "Caddy/2.6.2"},
             "",
             "/shop/1",
             "/shop/1"},
        Case{"lighttpd",
             {.request_uri = "/app.fcgi/a%20b//c/../d%2Fe?x=1",
              .script_name = "/app.fcgi",
              .path_info = "/a b/d/e",
              .script_filename = "/srv/site/app.fcgi",
              .server_software = "lighttpd/1.4.69"},
             "/app.fcgi",
             "/a b/d/e",
             "/a%20b/d/e"},
        Case{"haproxy",
             {.request_uri = "/app.fcgi/a%20b//c/../d+e?x=1",
              .script_name = "/app.fcgi",
              .path_info = "/a b//c/../d+e",
              .server_software = "HAProxy 2.6.12-1+deb12u4"},
             "/app.fcgi",
             "/a b//c/../d+e",
             "/a%20b//c/../d+e"},
        Case{"uwsgi_style",
             {.request_uri = "/app/x%20y", .path_info = "/app/x y"},
             "",
             "/app/x y",
             "/app/x%20y"},
        Case{"mounted_by_the_bridge",
             {.request_uri = "/blog/caf%C3%A9", .script_name = "/blog", .path_info = "/café"},
             "/blog",
             "/café",
             "/caf%C3%A9"},
        Case{"only_the_target", {.request_uri = "/a%2Fb/c?d"}, "", "/a/b/c", "/a%2Fb/c"},
        Case{"absolute_form", {.request_uri = "http://h/x?y"}, "", "/x", "/x"},
        Case{"nothing", {}, "", "/", "/"},
        Case{"root", {.request_uri = "/", .script_name = "/", .document_uri = "/"}, "", "/", "/"},
        Case{"plus_stays", {.request_uri = "/a+b", .script_name = "/a+b"}, "", "/a+b", "/a+b"}),
    [](const ::testing::TestParamInfo<Case>& test) { return std::string(test.param.name); });

TEST(PathTest, MalformedEscapesAndNulAreRefused) {
  RequestPath path;
  for (const char* uri : {"/%", "/%4", "/%zz", "/a%0", "/a%00b", "/%%41"}) {
    EXPECT_FALSE(derive_path({.request_uri = uri}, path)) << uri;
    EXPECT_FALSE(derive_path({.request_uri = uri, .script_name = "/x"}, path)) << uri;
  }
}

}  // namespace
}  // namespace viaduct::detail
