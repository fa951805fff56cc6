// Listeners whose trusted peers begin each connection with a PROXY protocol header.

#include <unistd.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"
#include "tests/daemon/bridge/byte_client.hpp"
#include "tests/support/scgi_bytes.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using channel::Type;

constexpr std::size_t kScgi = 1;
constexpr std::size_t kHttp = 2;
const std::string kHeader = "PROXY TCP4 203.0.113.9 192.0.2.1 5000 443\r\n";
const std::string kGet = "GET / HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n";

class ProxyProtocolTest : public BridgeTest {
 protected:
  // The peers of these tests are processes of our own user.
  void expect_headers(std::initializer_list<std::string> trusted) {
    for (config::BridgeListener& listener : settings.listeners) {
      listener.proxy_protocol = true;
      for (const std::string& rule : trusted) {
        listener.trusted.push_back(std::get<protocol::PeerRule>(protocol::parse_peer_rule(rule)));
      }
    }
    settings.listeners[kHttp].forwarded = {.source = protocol::ForwardedSource::x_forwarded_for};
  }
  static std::string me() { return "uid:" + std::to_string(::geteuid()); }
  std::unique_ptr<ByteClient> open(std::size_t listener = kHttp) {
    return std::make_unique<ByteClient>(stage, socket_path(listener));
  }
  // The header of a binary one, without addresses.
  static std::string binary(char command, char family) {
    return std::string("\r\n\r\n\0\r\nQUIT\n", 12) + command + family + std::string(2, '\0');
  }
  // A request that is answered; its variables.
  std::shared_ptr<WorkerRequest> answered(FakeWorker& worker, ByteClient& client) {
    auto request = worker.next_request();
    if (request == nullptr) {
      ADD_FAILURE() << "no request arrives";
      return nullptr;
    }
    request->respond("ok");
    EXPECT_TRUE(client.wait_for("ok"));
    return request;
  }
};

TEST_F(ProxyProtocolTest, TheAddressIsThePeer) {
  expect_headers({me()});
  start();
  FakeWorker& worker = add_worker();
  const auto client = open();
  client->raw(kHeader + kGet + kGet);
  for (int i = 0; i < 2; ++i) {
    const auto request = answered(worker, *client);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->param("REMOTE_ADDR"), "203.0.113.9") << "it is not a proxy that is trusted";
    EXPECT_EQ(request->param("REMOTE_PORT"), "5000");
    EXPECT_EQ(request->param("SERVER_ADDR"), "192.0.2.1");
    EXPECT_EQ(request->param("SERVER_PORT"), "443");
  }
}

TEST_F(ProxyProtocolTest, APeerThatIsTrustedIsBelieved) {
  expect_headers({me(), "203.0.113.0/24"});
  start();
  FakeWorker& worker = add_worker();
  const auto client = open();
  client->raw(kHeader + kGet);
  const auto request = answered(worker, *client);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("REMOTE_ADDR"), "192.0.2.7");
}

TEST_F(ProxyProtocolTest, TheHeaderMayComeByteByByte) {
  expect_headers({me()});
  start();
  FakeWorker& worker = add_worker();
  const auto client = open();
  for (const char c : kHeader + kGet) client->raw(std::string(1, c));
  const auto request = answered(worker, *client);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("REMOTE_ADDR"), "203.0.113.9");
}

TEST_F(ProxyProtocolTest, AConnectionWithoutAHeaderIsClosed) {
  expect_headers({me()});
  start();
  FakeWorker& worker = add_worker();
  for (const std::size_t listener : {kHttp, kScgi, std::size_t{0}}) {
    for (const std::string& bytes : {kGet, std::string("PROXY NOTHING\r\n"), binary(0x22, 0)}) {
      const auto client = open(listener);
      client->raw(bytes);
      ASSERT_TRUE(client->wait_closed());
      EXPECT_EQ(client->received(), "");
    }
  }
  EXPECT_EQ(bridge().scores().malformed, 9u);
  EXPECT_TRUE(bridge().wait_for_log("begins without a PROXY protocol header"));
  EXPECT_FALSE(worker.has_request());
}

TEST_F(ProxyProtocolTest, WhomAProxyCannotNameIsNotTrusted) {
  expect_headers({me()});
  start();
  FakeWorker& worker = add_worker();
  for (const std::string& header : {std::string("PROXY UNKNOWN\r\n"), binary(0x21, 0)}) {
    const auto client = open();
    client->raw(header + kGet);
    const auto request = answered(worker, *client);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->param("REMOTE_ADDR"), "unix:");
  }
  const auto client = open();
  client->raw(binary(0x20, 0) + kGet);
  const auto request = answered(worker, *client);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("REMOTE_ADDR"), "192.0.2.7") << "the proxy itself";
}

TEST_F(ProxyProtocolTest, OtherPeersSendNone) {
  expect_headers({"uid:4294967294", "203.0.113.9"});
  start();
  FakeWorker& worker = add_worker();
  const auto client = open();
  client->raw(kGet);
  const auto request = answered(worker, *client);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("REMOTE_ADDR"), "unix:");
  const auto liar = open();
  liar->raw(kHeader + kGet);
  ASSERT_TRUE(liar->wait_closed());
  EXPECT_THAT(liar->received(), ::testing::HasSubstr("HTTP/1.1 400 "));
}

TEST_F(ProxyProtocolTest, OtherProtocolsFollowTheHeaderToo) {
  expect_headers({me()});
  start();
  FakeWorker& worker = add_worker();
  const auto client = open(kScgi);
  client->raw(kHeader + test::scgi_request({{"REQUEST_METHOD", "GET"},
                                            {"REQUEST_URI", "/scgi"},
                                            {"PATH_INFO", "/scgi"},
                                            {"SCRIPT_NAME", ""},
                                            {"VIADUCT_TRACE", "7"}}));
  const auto request = answered(worker, *client);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("REQUEST_URI"), "/scgi");
  EXPECT_EQ(request->params.get("VIADUCT_TRACE"), std::nullopt) << "of a peer that is not trusted";
}

// The client is whom the header names, not the proxy that all of them come through.
TEST_F(ProxyProtocolTest, ConnectionsOfOneClientAreCounted) {
  settings.limits.connections_per_client = 2;
  expect_headers({me(), "203.0.113.128/25"});
  start();
  FakeWorker& worker = add_worker();
  std::vector<std::unique_ptr<ByteClient>> clients;
  const auto served = [&](const std::string& header) {
    clients.push_back(open());
    clients.back()->raw(header + kGet);
    return answered(worker, *clients.back()) != nullptr;
  };
  const std::string other = "PROXY TCP6 2001:db8::1 2001:db8::2 5000 443\r\n";
  ASSERT_TRUE(served(kHeader));
  ASSERT_TRUE(served(kHeader));
  ASSERT_TRUE(served(other));
  const auto refused = open();
  refused->raw(kHeader + kGet);
  ASSERT_TRUE(refused->wait_closed());
  EXPECT_EQ(refused->received(), "");
  EXPECT_TRUE(bridge().wait_for_log("limits.connections_per_client"));
  EXPECT_TRUE(bridge().wait_for_log("203.0.113.9:5000"));
  EXPECT_FALSE(worker.has_request());
  // Each of these may have more: trusted, not named, the proxy itself.
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(served("PROXY TCP4 203.0.113.200 192.0.2.1 5000 443\r\n"));
    ASSERT_TRUE(served("PROXY UNKNOWN\r\n"));
    ASSERT_TRUE(served(binary(0x20, 0)));
  }
  ASSERT_TRUE(served(other));
  // Its place is free when the bridge has seen the end of the first.
  clients.front()->close();
  bool again = false;
  for (int i = 0; i < 1000 && !again; ++i) {
    const auto client = open();
    client->raw(kHeader + kGet);
    until([&] { return client->closed() || worker.has_request(); }, "an answer");
    again = worker.has_request();
  }
  EXPECT_TRUE(again);
}

TEST_F(ProxyProtocolTest, ADrainingBridgeClosesSuchConnections) {
  expect_headers({me()});
  start();
  FakeWorker& worker = add_worker();
  const auto used = open();
  const auto unused = open();
  used->raw(kHeader + kGet);
  ASSERT_TRUE(answered(worker, *used));
  say(Type::drain);
  ASSERT_TRUE(used->wait_closed());
  ASSERT_TRUE(unused->wait_closed());
  ASSERT_TRUE(bridge().wait_for(Type::drained));
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
