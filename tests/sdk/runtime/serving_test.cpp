#include <string>

#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

using ServingTest = ModelTest;
INSTANTIATE_TEST_SUITE_P(Models, ServingTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(ServingTest, AnswersWithTypeAndLength) {
  app.get("/", [](Request&, Response& res) { res.send("hello"); });
  const auto serving = serve();
  Peer peer(serving->address());
  const auto reply = peer.get("/");
  EXPECT_EQ(reply.head(),
            "Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 5");
  EXPECT_EQ(reply.body(), "hello");
}

TEST_P(ServingTest, AnswersManyRequestsOfOneConnection) {
  app.get("/n/{n:int}", [](Request& req, Response& res) { res.send(*req.arg("n")); });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  constexpr protocol::RequestId kCount = 300;
  for (protocol::RequestId id = 1; id <= kCount; ++id) {
    peer.begin(id, "GET", "/n/" + std::to_string(id));
    peer.input_end(id);
  }
  ASSERT_TRUE(peer.wait([&] { return peer.ended().size() == kCount; }));
  for (protocol::RequestId id = 1; id <= kCount; ++id) {
    EXPECT_EQ(peer.reply(id).body(), std::to_string(id));
  }
}

TEST_P(ServingTest, NamesLimitAndWindow) {
  const auto serving = serve(5);
  Peer peer(serving->address());
  const auto values = peer.agree(256 * 1024);
  EXPECT_EQ(values.max_reqs, 5U);
  EXPECT_EQ(values.multiplexes, true);
  EXPECT_EQ(values.window, 256U * 1024);
}

TEST_P(ServingTest, UnknownPathIs404AndMethod405) {
  app.get("/a", [](Request&, Response& res) { res.send("a"); });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/b").status(), 404);
  const auto refused = peer.request("POST", "/a", "x");
  EXPECT_EQ(refused.status(), 405);
  EXPECT_NE(refused.head().find("Allow: GET, HEAD, OPTIONS"), std::string_view::npos);
  EXPECT_EQ(peer.request("OPTIONS", "/a", "").status(), 204);
  const auto head = peer.request("HEAD", "/a", "");
  EXPECT_NE(head.head().find("Content-Length: 1"), std::string_view::npos);
  EXPECT_EQ(head.body(), "");
}

TEST_P(ServingTest, MalformedEscapeIs400) {
  app.get("/{x}", [](Request&, Response& res) { res.send("x"); });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/%zz").status(), 400);
}

TEST_P(ServingTest, ExceptionIs500AndItsTextIsLoggedOnly) {
  app.get("/", [](Request&, Response& res) {
    res.write("partial");
    throw std::runtime_error("the database\nis gone");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  const auto reply = peer.get("/", {{"REQUEST_ID", "r-17"}});
  EXPECT_EQ(reply.status(), 500);
  EXPECT_EQ(reply.body(), "Internal Server Error\n");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(lines()[0], "[r-17] GET /: the database\\nis gone (std::runtime_error)");
}

TEST_P(ServingTest, HttpErrorIsTheAnswer) {
  app.get("/", [](Request&, Response&) {
    Fields fields;
    fields.set("Retry-After", "3");
    throw http_error(503, "come back", fields);
  });
  const auto serving = serve();
  Peer peer(serving->address());
  const auto reply = peer.get("/");
  EXPECT_EQ(reply.status(), 503);
  EXPECT_EQ(reply.body(), "come back\n");
  EXPECT_NE(reply.head().find("Retry-After: 3"), std::string_view::npos);
  EXPECT_TRUE(lines().empty());
}

TEST_P(ServingTest, OnErrorReplacesTheText) {
  app.on_error([](Request&, Response& res, std::exception_ptr error) {
    EXPECT_THROW(std::rethrow_exception(error), http_error);
    res.type("application/json").send("{\"status\":" + std::to_string(res.status()) + "}");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  const auto reply = peer.get("/nowhere");
  EXPECT_EQ(reply.status(), 404);
  EXPECT_EQ(reply.body(), "{\"status\":404}");
}

TEST_P(ServingTest, ExceptionInStartedResponseBreaksIt) {
  app.get("/ok", [](Request&, Response& res) { res.send("ok"); });
  app.get("/", [](Request&, Response& res) {
    res.write("partial");
    res.flush();
    throw std::runtime_error("oops");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  // Two requests at once: the connection is multiplexed, and breaks when the other one has ended.
  peer.begin(1, "GET", "/");
  peer.begin(2, "GET", "/ok");
  peer.input_end(1);
  peer.input_end(2);
  ASSERT_TRUE(peer.wait_end(2));
  EXPECT_EQ(peer.reply(2).app_status, 0U);
  EXPECT_EQ(peer.reply(2).body(), "ok");
  EXPECT_FALSE(peer.wait_end(1));
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(peer.reply(1).body(), "partial");
}

TEST_P(ServingTest, ClosesBehindTheResponseWithoutKeepConnection) {
  app.get("/", [](Request&, Response& res) { res.send("bye"); });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.begin(1, "GET", "/", {}, false);
  peer.input_end(1);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_TRUE(peer.wait([&] { return peer.closed(); }));
}

TEST_P(ServingTest, MalformedRecordClosesOnlyItsConnection) {
  app.get("/", [](Request&, Response& res) { res.send("fine"); });
  const auto serving = serve();
  Peer bad(serving->address());
  Peer good(serving->address());
  bad.send_raw(std::string("\x09\x01\x00\x01\x00\x08\x00\x00", 8));
  EXPECT_TRUE(bad.wait([&] { return bad.closed(); }));
  EXPECT_EQ(good.get("/").body(), "fine");
  ASSERT_EQ(lines(1).size(), 1U);
  EXPECT_NE(lines()[0].find("malformed"), std::string::npos);
}

TEST_P(ServingTest, HttpProxyNeverAppears) {
  app.get("/", [](Request& req, Response& res) {
    EXPECT_FALSE(req.env("HTTP_PROXY"));
    EXPECT_FALSE(req.headers().get("Proxy"));
    res.send(*req.headers().get("x-a"));
  });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/", {{"HTTP_PROXY", "evil"}, {"HTTP_X_A", "1"}}).body(), "1");
}

TEST_P(ServingTest, HeadersBeyondTheSmallestWindowGoOut) {
  app.get("/", [](Request&, Response& res) {
    res.headers().set("X-Long", std::string(30000, 'x'));
    res.send("ok");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  const auto reply = peer.get("/");
  EXPECT_EQ(reply.body(), "ok");
  EXPECT_GT(reply.head().size(), 30000U);
}

}  // namespace
}  // namespace viaduct::test
