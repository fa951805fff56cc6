// Requests that nothing goes wrong with, through every kind of front and worker.

#include <gtest/gtest.h>

#include "daemon/channel/scoreboard.hpp"
#include "tests/daemon/bridge/bridge_fixture.hpp"
#include "tests/support/sanitizers.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

struct WorkerKind {
  const char* name;
  WorkerOptions options;
};

class HappyPath : public BridgeTest, public ::testing::WithParamInterface<WorkerKind> {};

INSTANTIATE_TEST_SUITE_P(Workers, HappyPath,
                         ::testing::Values(WorkerKind{"Sdk", {}}, WorkerKind{"Plain", plain()}),
                         [](const auto& test) { return test.param.name; });

TEST_P(HappyPath, GetIsAnsweredAndTheConnectionClosed) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const auto client = connect();
  client->get(1, "/hello");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("REQUEST_METHOD"), "GET");
  EXPECT_EQ(request->param("REQUEST_URI"), "/hello");
  EXPECT_NE(request->param("VIADUCT_DEADLINE_MS"), "");
  request->respond("Hello");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  EXPECT_EQ(client->answer(1).body(), "Hello");
  EXPECT_TRUE(client->wait_closed());
  EXPECT_FALSE(client->failed());
}

TEST_P(HappyPath, KeptConnectionCarriesOneRequestAfterAnother) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const auto client = connect();
  for (int i = 0; i < 5; ++i) {
    client->get(1, "/" + std::to_string(i), true);
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    request->respond(request->param("REQUEST_URI"));
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).body(), "/" + std::to_string(i));
  }
  EXPECT_FALSE(client->closed());
}

TEST_P(HappyPath, PostCarriesItsBody) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const auto client = connect();
  const std::string body(300'000, 'x');
  client->post(1, "/upload", body);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the end of the body");
  EXPECT_EQ(request->body, body);
  request->respond("stored", 201);
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 201);
}

TEST_P(HappyPath, BodyOfUnknownLengthEndsWithTheStream) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const auto client = connect();
  client->begin(1, variables("POST", "/chunked"));
  client->body(1, "one ");
  // A plain worker gets the whole of it.
  const bool streams = GetParam().options.multiplex;
  if (!streams) client->body(1, "two");
  if (!streams) client->body_end(1);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  if (streams) {
    until([&] { return request->body == "one "; }, "the first piece, without the rest");
    client->body(1, "two");
    client->body_end(1);
  }
  until([&] { return request->body_ended; }, "the end of the body");
  EXPECT_EQ(request->body, "one two");
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
}

TEST_P(HappyPath, BodilessStatusesLoseTheirBody) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  struct Row {
    const char* method;
    int status;
    const char* body;
  };
  for (const Row& row : {Row{"HEAD", 200, "gone"}, Row{"HEAD", 304, ""}, Row{"GET", 204, ""},
                         Row{"GET", 304, ""}, Row{"GET", 404, "gone"}}) {
    const auto client = connect();
    client->begin(1, variables(row.method, "/"));
    client->body_end(1);
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    request->write("Status: " + std::to_string(row.status) + "\r\nX-A: b\r\n\r\ngone");
    request->end();
    ASSERT_TRUE(client->wait(1)) << row.method << row.status;
    EXPECT_EQ(client->answer(1).status(), row.status);
    EXPECT_EQ(client->answer(1).body(), row.body) << row.method << row.status;
    EXPECT_EQ(client->answer(1).app_status, 0u);
  }
}

TEST_P(HappyPath, HeadLosesItsBodyWhereTheFrontWantsNone) {
  settings.listeners[0].head_body = config::HeadBody::drop;
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const auto client = connect();
  client->begin(1, variables("HEAD", "/"));
  client->body_end(1);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->write("Content-Length: 4\r\n\r\ngone");
  request->end();
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  EXPECT_EQ(client->answer(1).body(), "");
  EXPECT_EQ(client->answer(1).app_status, 0u);
}

TEST_P(HappyPath, ScgiFrontIsAnsweredAndClosed) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const auto client = connect_scgi();
  client->head(variables("POST", "/scgi"), 5);
  client->raw("12345");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the end of the body");
  EXPECT_EQ(request->body, "12345");
  request->respond("thanks");
  ASSERT_TRUE(client->wait_closed());
  EXPECT_EQ(client->answer().status(), 200);
  EXPECT_EQ(client->answer().body(), "thanks");
  EXPECT_FALSE(client->failed());
}

TEST_P(HappyPath, LocationAloneBecomesARedirect) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const auto client = connect();
  client->get(1, "/old");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->write("Location: https://example.org/new\r\n\r\n");
  request->end();
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 302);
}

TEST_P(HappyPath, ErrorsReachTheLogAndTheFront) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const auto client = connect();
  client->get(1, "/");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->errors("disk almost full\nnext");
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).errors, "disk almost full\nnext");
  EXPECT_TRUE(bridge().wait_for_log("disk almost full app=shop pid=1001"));
  EXPECT_TRUE(bridge().wait_for_log("next app=shop"));
}

using Multiplexing = BridgeTest;

TEST_F(Multiplexing, RequestsShareOneFrontConnectionAndOneLink) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  std::vector<std::shared_ptr<WorkerRequest>> requests;
  for (protocol::RequestId id = 1; id <= 20; ++id) {
    client->get(id, "/" + std::to_string(id), true);
    requests.push_back(worker.next_request());
    ASSERT_TRUE(requests.back());
  }
  EXPECT_EQ(worker.links().size(), 1u);
  for (auto request = requests.rbegin(); request != requests.rend(); ++request) {
    (*request)->respond((*request)->param("REQUEST_URI"));
  }
  for (protocol::RequestId id = 1; id <= 20; ++id) {
    ASSERT_TRUE(client->wait(id));
    EXPECT_EQ(client->answer(id).body(), "/" + std::to_string(id));
  }
}

TEST_F(Multiplexing, VariablesArriveAsTheFrontSentThem) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->begin(1, variables("GET", "/p",
                             {{"PATH_INFO", "/%0a/\xc3\xa4"},
                              {"HTTP_PROXY", "http://evil"},
                              {"VIADUCT_DEADLINE_MS", "1"},
                              {"VIADUCT_SECRET", "x"},
                              {"EMPTY", ""}}));
  client->body_end(1);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("PATH_INFO"), "/%0a/\xc3\xa4");
  EXPECT_FALSE(request->params.get("HTTP_PROXY"));
  EXPECT_FALSE(request->params.get("VIADUCT_SECRET"));
  EXPECT_TRUE(request->params.get("EMPTY"));
  EXPECT_GT(std::stoi(request->param("VIADUCT_DEADLINE_MS")), 1);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
}

TEST_F(Multiplexing, AuthorizerHasNoBody) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->begin(1, variables("GET", "/"), false, protocol::Role::authorizer);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->respond("go on");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
}

// So all tests of a bridge show what it does from within.
using InSandbox = BridgeTest;

TEST_F(InSandbox, IsTheWholeBridge) {
  if (test::kAddressSanitizer || test::kThreadSanitizer) GTEST_SKIP() << "sanitizers have none";
  start();
  // It starts the loops in its sandbox.
  EXPECT_EQ(bridge().scores().sandbox, kFileRules | kSyscallFilter);
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
