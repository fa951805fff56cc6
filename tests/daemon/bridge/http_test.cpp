// HTTP and uwsgi listeners.

#include <unistd.h>

#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"
#include "tests/daemon/bridge/byte_client.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using channel::Type;
using ::testing::HasSubstr;

constexpr std::size_t kHttp = 2;
constexpr std::size_t kUwsgi = 3;

class HttpTest : public BridgeTest {
 protected:
  std::unique_ptr<ByteClient> open(std::size_t listener = kHttp) {
    return std::make_unique<ByteClient>(stage, socket_path(listener));
  }
  // The peers of these tests are processes of our own user.
  void trust_peers() {
    settings.listeners[kHttp].trusted.push_back(std::get<protocol::PeerRule>(
        protocol::parse_peer_rule("uid:" + std::to_string(::geteuid()))));
    settings.listeners[kHttp].trusted.push_back(
        std::get<protocol::PeerRule>(protocol::parse_peer_rule("10.0.0.0/8")));
    settings.listeners[kHttp].forwarded = {protocol::ForwardedSource::x_forwarded_for, true, true,
                                           false};
  }
  static std::string get(const std::string& path, const std::string& fields = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: shop.test\r\n" + fields + "\r\n";
  }
};

TEST_F(HttpTest, RequestsFollowEachOtherOnOneConnection) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = open();
  for (const std::string path : {"/a?x=1", "/b"}) {
    client->raw(get(path));
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    EXPECT_EQ(request->param("REQUEST_URI"), path);
    EXPECT_EQ(request->param("HTTP_HOST"), "shop.test");
    EXPECT_EQ(request->param("REMOTE_ADDR"), "unix:");
    EXPECT_EQ(request->param("GATEWAY_INTERFACE"), "CGI/1.1");
    request->respond("body of " + path);
    ASSERT_TRUE(client->wait_for("body of " + path));
  }
  EXPECT_EQ(client->count("HTTP/1.1 200 Whatever\r\n"), 2u);
  EXPECT_EQ(client->count("\r\nDate: "), 2u);
  EXPECT_FALSE(client->closed());
}

// Heads are used again, by requests of other listeners too.
TEST_F(HttpTest, FieldsWithOddNamesAreCountedOnce) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = open();
  client->raw(get("/", "X_Odd: a\r\nY_Odd: b\r\n"));
  auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->respond("ok");
  ASSERT_TRUE(client->wait_for("ok"));
  EXPECT_EQ(bridge().scores().odd_fields.load(), 2u);
  const auto front = connect();
  for (protocol::RequestId id = 1; id <= 3; ++id) {
    front->get(id, "/", true);
    request = worker.next_request();
    ASSERT_TRUE(request);
    request->respond("ok");
    ASSERT_TRUE(front->wait(id));
  }
  EXPECT_EQ(bridge().scores().odd_fields.load(), 2u);
}

TEST_F(HttpTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = open();
  client->raw(get("/1") + get("/2") + get("/3", "Connection: close\r\n"));
  for (const std::string number : {"1", "2", "3"}) {
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    EXPECT_FALSE(worker.has_request()) << "the next one waits for this response";
    EXPECT_EQ(request->param("REQUEST_URI"), "/" + number);
    request->respond("body " + number);
  }
  ASSERT_TRUE(client->wait_closed());
  const std::string& all = client->received();
  EXPECT_LT(all.find("body 1"), all.find("body 2"));
  EXPECT_LT(all.find("body 2"), all.find("body 3"));
  EXPECT_EQ(client->count("HTTP/1.1 200 Whatever\r\n"), 3u);
}

TEST_F(HttpTest, ManyPipelinedRequestsBeyondWhatIsHeld) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = open();
  constexpr std::size_t kMany = 5000;  // more bytes than are held, and than a socket takes
  for (std::size_t i = 0; i < kMany; ++i) client->raw(get("/" + std::to_string(i)));
  for (std::size_t i = 0; i < kMany; ++i) {
    const auto request = worker.next_request();
    ASSERT_TRUE(request) << i;
    ASSERT_EQ(request->param("REQUEST_URI"), "/" + std::to_string(i));
    request->respond("ok");
  }
  until([&] { return client->count("HTTP/1.1 200 Whatever\r\n") == kMany; }, "all answers");
}

TEST_F(HttpTest, ChunkedUploadReachesTheWorkerDecoded) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = open();
  client->raw("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->params.get("CONTENT_LENGTH"), std::nullopt);
  client->raw("2\r\nde\r\n0\r\n\r\n");
  until([&] { return request->body_ended; }, "the end of the body");
  EXPECT_EQ(request->body, "abcde");
  request->write("Content-Type: text/plain\r\n\r\npart");
  ASSERT_TRUE(client->wait_for("part"));
  EXPECT_THAT(client->received(), HasSubstr("Transfer-Encoding: chunked\r\n"));
  request->end();
  ASSERT_TRUE(client->wait_for("\r\n0\r\n\r\n"));
}

TEST_F(HttpTest, ContinueIsSentWhenAWorkerWaitsForTheBody) {
  shop(settings).buffer_requests = config::Buffering::never;
  start();
  const auto client = open();
  client->raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  until([&] { return score().queued == 1; }, "it queued");
  EXPECT_EQ(client->received(), "");
  FakeWorker& worker = add_worker();
  ASSERT_TRUE(client->wait_for("HTTP/1.1 100 Continue\r\n\r\n"));
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  client->raw("body");
  until([&] { return request->body_ended; }, "the body");
  request->respond("ok");
  ASSERT_TRUE(client->wait_for("200 Whatever"));
}

TEST_F(HttpTest, NoContinueForARequestThatIsRefused) {
  shop(settings).limits.body = 3;
  start();
  add_worker();
  const auto client = open();
  client->raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(client->wait_for("HTTP/1.1 413 "));
  EXPECT_EQ(client->count("100 Continue"), 0u);
}

TEST_F(HttpTest, MalformedBytesAreAnswered400AndNobodyElseNotices) {
  start();
  FakeWorker& worker = add_worker();
  const auto good = open();
  const auto bad = open();
  bad->raw("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
  ASSERT_TRUE(bad->wait_closed());
  EXPECT_THAT(bad->received(), HasSubstr("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_TRUE(bridge().wait_for_log("malformed bytes"));
  good->raw(get("/"));
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->respond("ok");
  EXPECT_TRUE(good->wait_for("200 Whatever"));
}

TEST_F(HttpTest, ResponseThatBreaksOffDoesNotLookComplete) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = open();
  client->raw(get("/"));
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->write("Content-Type: text/plain\r\n\r\nhalf");
  ASSERT_TRUE(client->wait_for("half"));
  kill_worker(worker);
  ASSERT_TRUE(client->wait_closed());
  EXPECT_EQ(client->count("0\r\n\r\n"), 0u);
}

constexpr std::string_view kForwarded =
    "GET / HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-For: 192.0.2.7, 10.0.0.1\r\n"
    "X-Forwarded-Proto: https\r\nX-Forwarded-Host: www.example.org\r\n\r\n";
constexpr std::string_view kProxied =
    "PROXY TCP4 203.0.113.9 192.0.2.1 5000 443\r\nGET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

TEST_F(HttpTest, ATrustedPeerIsBelieved) {
  trust_peers();
  start();
  FakeWorker& worker = add_worker();
  const auto forwarding = open();
  forwarding->raw(kForwarded);
  const auto forwarded = worker.next_request();
  ASSERT_TRUE(forwarded);
  EXPECT_EQ(forwarded->param("REMOTE_ADDR"), "192.0.2.7");
  EXPECT_EQ(forwarded->param("REQUEST_SCHEME"), "https");
  EXPECT_EQ(forwarded->param("HTTP_HOST"), "www.example.org");
  EXPECT_EQ(forwarded->params.get("HTTP_X_FORWARDED_FOR"), std::nullopt);
  for (const auto& request : worker.requests) request->respond("ok");
  ASSERT_TRUE(forwarding->wait_for("200 Whatever"));
}

TEST_F(HttpTest, TheHostThatIsBelievedChoosesTheRoute) {
  trust_peers();
  settings.listeners[kHttp].routes = {{.host = "www.example.org", .app = "shop"}};
  start();
  FakeWorker& worker = add_worker();
  const auto forwarding = open();
  forwarding->raw(kForwarded);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->respond("ok");
  ASSERT_TRUE(forwarding->wait_for("200 Whatever"));
  forwarding->raw(get("/"));
  ASSERT_TRUE(forwarding->wait_for("404 Not Found"));
}

TEST_F(HttpTest, ContradictionsAreCounted) {
  trust_peers();
  start();
  FakeWorker& worker = add_worker();
  const auto forwarding = open();
  forwarding->raw(get("/", "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https, http\r\n"));
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("REMOTE_ADDR"), "192.0.2.7");
  EXPECT_EQ(request->param("REQUEST_SCHEME"), "http");
  request->respond("ok");
  ASSERT_TRUE(forwarding->wait_for("200 Whatever"));
  EXPECT_EQ(bridge().scores().contradictory, 1u);
}

class OddNamesTest : public HttpTest,
                     public ::testing::WithParamInterface<protocol::http::OddNames> {};

TEST_P(OddNamesTest, AreCountedOrKept) {
  for (config::BridgeListener& listener : settings.listeners) listener.odd_names = GetParam();
  start();
  FakeWorker& worker = add_worker();
  const auto client = open();
  client->raw(get("/", "X_User: a\r\nX_Real_IP: 192.0.2.9\r\n"));
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  const bool kept = GetParam() == protocol::http::OddNames::keep;
  EXPECT_EQ(request->param("HTTP_X_USER"), kept ? "a" : "");
  EXPECT_EQ(request->param("HTTP_X_REAL_IP"), "");
  request->respond("ok");
  ASSERT_TRUE(client->wait_for("200 Whatever"));
  EXPECT_EQ(bridge().scores().odd_fields, kept ? 1u : 2u);
}

INSTANTIATE_TEST_SUITE_P(All, OddNamesTest,
                         ::testing::Values(protocol::http::OddNames::drop,
                                           protocol::http::OddNames::keep));

TEST_F(HttpTest, FieldsReachTheApplicationWhereTheyPass) {
  settings.listeners[kHttp].forwarded = {.source = protocol::ForwardedSource::pass};
  start();
  FakeWorker& worker = add_worker();
  const auto client = open();
  client->raw(kForwarded);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("HTTP_X_FORWARDED_FOR"), "192.0.2.7, 10.0.0.1");
  EXPECT_EQ(request->param("REMOTE_ADDR"), "unix:");
  request->respond("ok");
  ASSERT_TRUE(client->wait_for("200 Whatever"));
}

TEST_F(HttpTest, OthersAreNotBelieved) {
  settings.listeners[kHttp].forwarded = {.source = protocol::ForwardedSource::x_forwarded_for};
  start();
  FakeWorker& worker = add_worker();
  const auto forwarding = open();
  forwarding->raw(kForwarded);
  const auto forwarded = worker.next_request();
  ASSERT_TRUE(forwarded);
  EXPECT_EQ(forwarded->param("REMOTE_ADDR"), "unix:");
  EXPECT_EQ(forwarded->param("REQUEST_SCHEME"), "http");
  EXPECT_EQ(forwarded->param("HTTP_HOST"), "shop.test");
  EXPECT_EQ(forwarded->params.get("HTTP_X_FORWARDED_FOR"), std::nullopt);
  const auto proxy = open();
  proxy->raw(kProxied);
  ASSERT_TRUE(proxy->wait_closed());
  EXPECT_THAT(proxy->received(), HasSubstr("HTTP/1.1 400 "));
}

TEST_F(HttpTest, ADrainingBridgeClosesItsConnections) {
  start();
  FakeWorker& worker = add_worker();
  const auto idle = open();
  const auto working = open();
  for (const auto* client : {&idle, &working}) {
    (*client)->raw(get("/"));
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    request->respond("first");
    ASSERT_TRUE((*client)->wait_for("first"));
  }
  working->raw(get("/"));
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  say(Type::drain);
  ASSERT_TRUE(idle->wait_closed());
  request->respond("last");
  ASSERT_TRUE(working->wait_closed());
  EXPECT_THAT(working->received(), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(working->received(), HasSubstr("last"));
  ASSERT_TRUE(bridge().wait_for(Type::drained));
}

TEST_F(HttpTest, UwsgiRequestIsAnsweredWithAStatusLine) {
  start();
  FakeWorker& worker = add_worker();
  std::string block;
  const auto size16 = [](std::size_t size) {
    return std::string{static_cast<char>(size & 0xff), static_cast<char>(size >> 8)};
  };
  for (const auto& [name, value] : variables("POST", "/up", {{"CONTENT_LENGTH", "4"}})) {
    block.append(size16(name.size())).append(name).append(size16(value.size())).append(value);
  }
  const auto client = open(kUwsgi);
  client->raw(std::string(1, '\0') + size16(block.size()) + std::string(1, '\0') + block + "body");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the body");
  EXPECT_EQ(request->body, "body");
  EXPECT_EQ(request->param("REQUEST_URI"), "/up");
  request->respond("taken", 201);
  ASSERT_TRUE(client->wait_closed());
  EXPECT_TRUE(client->received().starts_with("HTTP/1.1 201 Whatever\r\n")) << client->received();
  EXPECT_TRUE(client->received().ends_with("\r\n\r\ntaken")) << client->received();
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
