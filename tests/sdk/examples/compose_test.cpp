#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <viaduct/testing.hpp>

#include "compose_app.hpp"

namespace compose {
namespace {

using ::testing::HasSubstr;
using viaduct::testing::Client;
using viaduct::testing::Reply;
using viaduct::testing::Via;

class ComposeTest : public ::testing::TestWithParam<Via> {
 protected:
  ComposeTest() {
    app->log_sink([](viaduct::Level, std::string_view) {});
  }

  std::unique_ptr<viaduct::App> app =
      make_app({.admin_password = "sesame", .time = [] { return std::string("noon"); }});
};

INSTANTIATE_TEST_SUITE_P(Compose, ComposeTest,
                         ::testing::Values(Via::direct, Via::fastcgi, Via::scgi, Via::uwsgi,
                                           Via::http));

TEST_P(ComposeTest, PartsLinkToThemselvesWhereverTheyAreMounted) {
  Client client(*app, GetParam());
  EXPECT_THAT(client.get("/blog/").body, HasSubstr("<h1>Blog</h1>\n<a href=\"/blog/hello\">"));
  EXPECT_THAT(client.get("/archive/").body, HasSubstr("<a href=\"/archive/hello\">"));
  EXPECT_EQ(client.get("/archive/hello").body, "Archive: hello\n");
  if (GetParam() == Via::http) return;
  client.env("SCRIPT_NAME", "/site");
  EXPECT_THAT(client.get("/site/blog/").body, HasSubstr("<a href=\"/site/blog/hello\">"));
  EXPECT_THAT(client.get("/site/").body, HasSubstr("<a href=\"/site/admin/\">"));
}

TEST_P(ComposeTest, ThePasswordGuardsItsPartOnly) {
  Client client(*app, GetParam());
  const Reply refused = client.get("/admin/");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(client.get("/admin/missing").status, 401);
  EXPECT_EQ(client.get("/missing").status, 404);
  client.header("Authorization", "Basic YWRtaW46c2VzYW1l");
  EXPECT_EQ(client.get("/admin/").body, "hello, admin\n");
}

TEST_P(ComposeTest, OtherSitesReadTheApiWithinLimits) {
  Client client(*app, GetParam());
  client.header("Origin", "https://app.example");
  const Reply reply = client.get("/api/time");
  EXPECT_EQ(reply.body, "noon\n");
  EXPECT_EQ(reply.headers.get("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_THAT(std::string(reply.headers.get("Server-Timing").value_or("")),
              HasSubstr("clock;dur="));
  int refused = 0;
  for (int i = 0; i < 200 && refused == 0; ++i) refused = client.get("/api/time").status == 429;
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(client.get("/blog/").status, 200);
}

TEST_P(ComposeTest, WhatTheClientHasIsNotSentAgain) {
  Client client(*app, GetParam());
  const Reply first = client.get("/blog/hello");
  const std::string tag(first.headers.get("ETag").value_or(""));
  ASSERT_FALSE(tag.empty());
  client.header("If-None-Match", tag);
  EXPECT_EQ(client.get("/blog/hello").status, 304);
  EXPECT_EQ(client.get("/blog/other").status, 200);
}

TEST_P(ComposeTest, MiddlewareOfTheAppStandsAroundEverything) {
  Client client(*app, GetParam());
  for (const char* const path : {"/?hour=3", "/blog/hello?hour=3", "/missing?hour=3"}) {
    const Reply reply = client.get(path);
    EXPECT_EQ(reply.status, 503) << path;
    EXPECT_EQ(reply.body, "Asleep until six.\n") << path;
    EXPECT_EQ(reply.headers.get("X-Content-Type-Options"), "nosniff") << path;
  }
}

}  // namespace
}  // namespace compose
