// The Authorizer and Filter roles of FastCGI (1.0, sections 6.3 and 6.4) on their way through the
// bridge.

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using protocol::Role;

struct WorkerKind {
  const char* name;
  WorkerOptions options;
};

class Roles : public BridgeTest, public ::testing::WithParamInterface<WorkerKind> {
 protected:
  Roles() { shop(settings).buffer_requests = config::Buffering::never; }

  /// A filter's request with `body` bytes of FCGI_STDIN.
  static protocol::Pairs filter_variables(std::string_view method, std::size_t body) {
    return variables(method, "/page",
                     {{"CONTENT_LENGTH", std::to_string(body)}, {"FCGI_DATA_LENGTH", "5"}});
  }
};

INSTANTIATE_TEST_SUITE_P(Workers, Roles,
                         ::testing::Values(WorkerKind{"Sdk", {}}, WorkerKind{"Plain", plain()}),
                         [](const auto& test) { return test.param.name; });

TEST_P(Roles, AuthorizerSeesNoBodyAndItsVariablesReachTheFront) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const auto client = connect();
  client->begin(1, variables("POST", "/private", {{"CONTENT_LENGTH", "4"}}), true,
                Role::authorizer);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->role, Role::authorizer);
  until([&] { return request->body_ended; }, "the end of an empty body");
  EXPECT_EQ(request->body, "");
  request->write("Status: 200 OK\r\nVariable-USER: ann\r\nContent-Type: text/plain\r\n\r\n");
  request->end();
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  EXPECT_EQ(client->answer(1).field("Variable-USER"), "ann");
}

TEST_P(Roles, AuthorizerMayRefuse) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const auto client = connect();
  client->begin(1, variables("GET", "/private"), true, Role::authorizer);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->respond("no", 403);
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 403);
  EXPECT_EQ(client->answer(1).body(), "no");
}

TEST_P(Roles, FilterIsGivenBothStreams) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  for (const std::string& body : {std::string(), std::string("four"), std::string(200'000, 'b')}) {
    const auto client = connect();
    client->begin(1, filter_variables("POST", body.size()), false, Role::filter);
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    EXPECT_EQ(request->role, Role::filter);
    EXPECT_EQ(request->param("FCGI_DATA_LENGTH"), "5");
    client->body(1, body);
    client->body_end(1);
    until([&] { return request->body_ended; }, "the body");
    EXPECT_EQ(request->body, body);
    EXPECT_FALSE(request->data_ended);
    client->data(1, "da");
    until([&] { return request->data == "da"; }, "the first data");
    client->data(1, "ta!");
    client->data_end(1);
    until([&] { return request->data_ended; }, "the end of the data");
    EXPECT_EQ(request->data, "data!");
    EXPECT_EQ(request->body, body);
    request->respond("filtered");
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).body(), "filtered");
  }
}

// Both streams in one write, and more of them than the window, the front's buffer and one turn.
TEST_P(Roles, FilterWithLongStreamsAtOnce) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const std::string body(300'000, 'b');
  const std::string data(500'000, 'd');
  const auto client = connect();
  client->begin(1, filter_variables("POST", body.size()), false, Role::filter);
  client->body(1, body);
  client->body_end(1);
  client->data(1, data);
  client->data_end(1);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->data_ended; }, "both streams");
  EXPECT_TRUE(request->body == body) << request->body.size();
  EXPECT_TRUE(request->data == data) << request->data.size();
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
}

TEST_P(Roles, FilterOfADeadWorkerIsRepeatedWithBothStreams) {
  start();
  FakeWorker& first = add_worker(GetParam().options);
  const auto client = connect();
  client->begin(1, filter_variables("PUT", 4), false, Role::filter);
  client->body(1, "four");
  client->body_end(1);
  client->data(1, "data!");
  client->data_end(1);
  const auto lost = first.next_request();
  ASSERT_TRUE(lost);
  until([&] { return lost->data_ended; }, "both streams");
  FakeWorker& second = add_worker(GetParam().options);
  kill_worker(first);
  const auto repeated = second.next_request();
  ASSERT_TRUE(repeated);
  EXPECT_EQ(repeated->role, Role::filter);
  until([&] { return repeated->data_ended; }, "both streams again");
  EXPECT_EQ(repeated->body, "four");
  EXPECT_EQ(repeated->data, "data!");
  repeated->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
}

// limits.body bounds both together.
TEST_P(Roles, DataCountsAsBody) {
  shop(settings).limits.body = 9;
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  for (const auto& [data, status] :
       {std::pair{"data!", 200}, std::pair{"data!!", 413}, std::pair{"data", 200}}) {
    const auto client = connect();
    client->begin(1, filter_variables("POST", 4), false, Role::filter);
    client->body(1, "four");
    client->body_end(1);
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    client->data(1, data);
    client->data_end(1);
    if (status == 200) {
      until([&] { return request->data_ended; }, "the data");
      request->respond("ok");
    }
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), status) << data;
    if (status == 413 && GetParam().options.multiplex) {
      until([&] { return request->aborted; }, "the abort");
      request->end();
    }
  }
}

TEST_P(Roles, ConnectionIsNotKeptBehindAFilter) {
  if (GetParam().options.multiplex) GTEST_SKIP() << "of plain workers only";
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const auto client = connect();
  client->begin(1, filter_variables("GET", 0), false, Role::filter);
  client->body_end(1);
  client->data_end(1);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_FALSE(request->keep);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
