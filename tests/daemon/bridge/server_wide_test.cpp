// OPTIONS about the server as a whole, over an HTTP listener: answered by the bridge itself (RFC
// 9110 section 9.3.7), with a body that nobody reads perhaps, which is never taken for requests.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"
#include "tests/daemon/bridge/byte_client.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kHttp = 2;
const std::string kOptions = "OPTIONS * HTTP/1.1\r\nHost: shop.test\r\n";
const std::string kAnswer = "HTTP/1.1 204 No Content\r\n";
const std::string kInside = "GET /inside HTTP/1.1\r\nHost: shop.test\r\n\r\n";

class ServerWide : public BridgeTest {
 protected:
  std::unique_ptr<ByteClient> open() {
    return std::make_unique<ByteClient>(stage, socket_path(kHttp));
  }
  // The next request that a worker gets is that one, and its answer arrives.
  void expect_request(FakeWorker& worker, ByteClient& client, const std::string& path) {
    client.raw("GET " + path + " HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    const auto request = worker.next_request();
    ASSERT_NE(request, nullptr);
    EXPECT_EQ(request->param("REQUEST_URI"), path);
    request->respond("body of " + path);
    EXPECT_TRUE(client.wait_for("body of " + path)) << client.received();
  }
};

TEST_F(ServerWide, OptionsAreAnsweredAndTheConnectionGoesOn) {
  start();
  FakeWorker& worker = add_worker();
  const std::string length = "Content-Length: " + std::to_string(kInside.size()) + "\r\n\r\n";
  for (const std::string& request :
       {kOptions + "\r\n", std::string("OPTIONS http://shop.test HTTP/1.1\r\nHost: x\r\n\r\n"),
        kOptions + length + kInside}) {
    const auto client = open();
    for (std::size_t i = 1; i <= 2; ++i) {
      client->raw(request);
      ASSERT_TRUE(stage.run_until([&] { return client->count(kAnswer) == i; })) << request;
      expect_request(worker, *client, "/behind" + std::to_string(i));
    }
    EXPECT_FALSE(client->closed());
  }
}

// The path of another target is the application's.
TEST_F(ServerWide, OptionsOfAPathReachTheApplication) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = open();
  client->raw("OPTIONS http://shop.test/ HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  const auto request = worker.next_request();
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(request->param("REQUEST_METHOD"), "OPTIONS");
  EXPECT_EQ(request->param("REQUEST_URI"), "/");
  request->respond("ok");
  EXPECT_TRUE(client->wait_for("ok"));
}

// The client goes on sending when the answer is there: it gets that, and no reset.
TEST_F(ServerWide, BodiesThatNobodyReadsEndTheConnectionGently) {
  start();
  FakeWorker& worker = add_worker();
  const std::string large = "Content-Length: 1000000\r\n\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n\r\n";
  const std::string waiting = "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n";
  for (const std::string& body :
       {large + kInside, chunked + "5\r\nhello\r\n", chunked + "0\r\n\r\n" + kInside, waiting}) {
    SCOPED_TRACE(body);
    const auto client = open();
    client->raw(kOptions + body);
    ASSERT_TRUE(client->wait_for("\r\n\r\n"));
    EXPECT_THAT(client->received(), HasSubstr(kAnswer));
    EXPECT_THAT(client->received(), HasSubstr("\r\nConnection: close\r\n"));
    const bool complete = body.starts_with(chunked + "0");
    if (!complete) client->raw(kInside);
    ASSERT_TRUE(client->wait_closed());
    EXPECT_FALSE(client->failed());
    EXPECT_EQ(client->count("HTTP/1.1 "), 1u);
  }
  const auto other = open();
  expect_request(worker, *other, "/other");
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
