// Servers that others run which speak SCGI or uwsgi.

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/scgi/codec.hpp"
#include "protocol/uwsgi/codec.hpp"
#include "tests/daemon/bridge/bridge_fixture.hpp"
#include "tests/daemon/bridge/byte_client.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using config::Address;
using config::ServerProtocol;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr std::size_t kHttp = 2;
const std::string kOk = "Status: 200 OK\r\nContent-Type: text/plain\r\n";

/// What a connection carries, as a server's codec reads it.
struct Seen {
  protocol::Pairs params;
  std::string body;
  bool complete = false;

  [[nodiscard]] std::string param(std::string_view name) const {
    return std::string(params.get(name).value_or("(none)"));
  }
};

class OtherServers : public BridgeTest, public ::testing::WithParamInterface<ServerProtocol> {
 protected:
  OtherServers() { shop(settings).server.protocol = GetParam(); }

  ByteServer& add_server() {
    servers.push_back(std::make_unique<ByteServer>(
        stage, directory.file("server" + std::to_string(servers.size()))));
    shop(settings).connect.push_back({Address::Kind::unix_path, servers.back()->path(), 0});
    return *servers.back();
  }
  void serve() {
    start();
    say_state(channel::AppState::serving);
  }
  static Seen read(const ByteClient& connection) {
    std::unique_ptr<protocol::ServerCodec> codec;
    if (GetParam() == ServerProtocol::scgi) {
      codec = std::make_unique<protocol::scgi::ServerCodec>(protocol::Limits{});
    } else {
      codec = std::make_unique<protocol::uwsgi::ServerCodec>(protocol::Limits{});
    }
    Seen seen;
    protocol::Bytes bytes = protocol::as_bytes(connection.received());
    while (!bytes.empty()) {
      bytes = bytes.subspan(codec->feed(bytes));
      for (auto event = codec->next(); event.kind != protocol::Event::Kind::none;
           event = codec->next()) {
        if (event.kind == protocol::Event::Kind::request) seen.params = event.head->params;
        if (event.kind == protocol::Event::Kind::body) seen.body += protocol::as_text(event.bytes);
        if (event.kind == protocol::Event::Kind::body_end) seen.complete = true;
      }
      EXPECT_EQ(codec->error(), protocol::Errc::ok);
    }
    return seen;
  }
  /// The next connection, once its request is complete.
  ByteClient* next(ByteServer& server, Seen& seen) {
    ByteClient* const connection = server.next();
    if (connection == nullptr) return nullptr;
    until([&] { return (seen = read(*connection)).complete; }, "the whole request");
    return connection;
  }
  static void respond(ByteClient& connection, const std::string& bytes) {
    connection.raw(bytes);
    connection.close();
  }

  std::vector<std::unique_ptr<ByteServer>> servers;
};

INSTANTIATE_TEST_SUITE_P(Protocol, OtherServers,
                         ::testing::Values(ServerProtocol::scgi, ServerProtocol::uwsgi),
                         [](const auto& test) { return std::string(to_string(test.param)); });

TEST_P(OtherServers, RequestsWithAndWithoutBodyAreAnswered) {
  ByteServer& server = add_server();
  serve();
  for (const std::string& body : {std::string(), std::string("a=b"), std::string(300'000, 'x')}) {
    const auto client = connect();
    client->post(1, "/form?x=1", body);
    Seen seen;
    ByteClient* const connection = next(server, seen);
    ASSERT_NE(connection, nullptr);
    EXPECT_EQ(seen.param("REQUEST_METHOD"), "POST");
    EXPECT_EQ(seen.param("REQUEST_URI"), "/form?x=1");
    EXPECT_EQ(seen.body, body);
    respond(*connection, kOk + "\r\nhello");
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), 200);
    EXPECT_EQ(client->answer(1).body(), "hello");
  }
  EXPECT_EQ(server.accepted(), 3u);
}

TEST_P(OtherServers, TunnelsCarryBothDirections) {
  settings.listeners[0].upgrade = true;
  ByteServer& server = add_server();
  serve();
  const auto client = connect();
  client->begin(1, variables("GET", "/socket", {{"HTTP_UPGRADE", "websocket"}}));
  Seen seen;
  ByteClient* const connection = next(server, seen);
  ASSERT_NE(connection, nullptr) << "it is not gathered";
  EXPECT_EQ(seen.param("HTTP_UPGRADE"), "websocket");
  connection->raw("Status: 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
  until([&] { return client->answer(1).status() == 101; }, "the tunnel");
  client->body(1, "ping");
  ASSERT_TRUE(connection->wait_for("ping"));
  connection->raw("pong");
  until([&] { return client->answer(1).body() == "pong"; }, "the server's word");
  client->body_end(1);
  connection->close();
  ASSERT_TRUE(client->wait(1));
}

TEST_P(OtherServers, StatusLinesAreUnderstood) {
  ByteServer& server = add_server();
  serve();
  const auto client = connect();
  client->get(1, "/");
  Seen seen;
  ByteClient* const connection = next(server, seen);
  ASSERT_NE(connection, nullptr);
  respond(*connection, "HTTP/1.1 404 NOT FOUND\r\nContent-Length: 4\r\n\r\nnonebeyond");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 404);
  EXPECT_EQ(client->answer(1).body(), "none");
}

TEST_P(OtherServers, BodiesOfUnknownLengthAreMeasuredFirst) {
  ByteServer& server = add_server();
  shop(settings).timeouts.request = milliseconds(500);
  serve();
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{200'000}}) {
    ByteClient client(stage, socket_path(kHttp));
    client.raw("POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string half(size / 2, 'h');
    const std::string rest(size - half.size(), 'r');
    const auto chunk = [](const std::string& bytes) {
      char digits[32];
      std::snprintf(digits, sizeof(digits), "%zx\r\n", bytes.size());
      return bytes.empty() ? std::string() : digits + bytes + "\r\n";
    };
    const std::size_t before = server.accepted();
    client.raw(chunk(half));
    // What the client takes for its body counts for no time-out.
    const auto begun = std::chrono::steady_clock::now();
    until([&] { return std::chrono::steady_clock::now() - begun > milliseconds(700); }, "a while");
    EXPECT_EQ(server.accepted(), before);
    client.raw(chunk(rest) + "0\r\n\r\n");
    Seen seen;
    ByteClient* const connection = next(server, seen);
    ASSERT_NE(connection, nullptr);
    EXPECT_EQ(seen.body, half + rest);
    if (size > 0) {
      EXPECT_EQ(seen.param("CONTENT_LENGTH"), std::to_string(size));
    }
    respond(*connection, kOk + "\r\nstored");
    EXPECT_TRUE(client.wait_for("stored"));
  }
}

TEST_P(OtherServers, MeasuredBodiesHaveALimit) {
  shop(settings).limits.body = 100'000;
  ByteServer& server = add_server();
  serve();
  for (const std::size_t size : {std::size_t{99'999}, std::size_t{100'000}, std::size_t{100'001}}) {
    ByteClient client(stage, socket_path(kHttp));
    client.raw("POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    char digits[32];
    std::snprintf(digits, sizeof(digits), "%zx\r\n", size);
    client.raw(digits + std::string(size, 'x') + "\r\n0\r\n\r\n");
    if (size > 100'000) {
      EXPECT_TRUE(client.wait_for("HTTP/1.1 413 "));
      continue;
    }
    Seen seen;
    ByteClient* const connection = next(server, seen);
    ASSERT_NE(connection, nullptr);
    respond(*connection, kOk + "\r\nstored");
    EXPECT_TRUE(client.wait_for("stored"));
  }
}

TEST_P(OtherServers, AClientThatLeavesWhileItsBodyIsMeasuredCostsNothing) {
  ByteServer& server = add_server();
  serve();
  ByteClient client(stage, socket_path(kHttp));
  client.raw("POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  until([&] { return score().requests.load() == 1; }, "the request");
  client.close();
  until([&] { return score().aborted.load() == 1; }, "the bridge to notice");
  EXPECT_EQ(server.accepted(), 0u);
}

TEST_P(OtherServers, AClientThatLeavesEndsItsConnection) {
  shop(settings).concurrency.limit = 1;
  ByteServer& server = add_server();
  serve();
  auto impatient = connect();
  impatient->get(1, "/");
  ByteClient* const given_up = server.next();
  ASSERT_NE(given_up, nullptr);
  impatient.reset();
  EXPECT_TRUE(given_up->wait_closed());
  const auto client = connect();
  client->get(1, "/");
  Seen seen;
  ByteClient* const connection = next(server, seen);
  ASSERT_NE(connection, nullptr);
  respond(*connection, kOk + "\r\nok");
  EXPECT_TRUE(client->wait(1));
}

TEST_P(OtherServers, NoAnswerIsALoss) {
  ByteServer& first = add_server();
  ByteServer& second = add_server();
  // Enough failures in a row would leave one server.
  shop(settings).server.health.fail = 100;
  serve();
  struct Case {
    const char* method;
    const char* answer;
    int status;  // 200: from the other server
  };
  for (const auto& [method, answer, status] :
       {Case{"GET", "", 200}, Case{"GET", "Status: 200 OK\r\nContent-", 200}, Case{"POST", "", 502},
        Case{"POST", "Status: 200", 502}}) {
    const auto client = connect();
    client->request(1, variables(method, "/"), "");
    until([&] { return first.waiting() || second.waiting(); }, "a server to take it");
    ByteServer& holder = first.waiting() ? first : second;
    ByteServer& other = first.waiting() ? second : first;
    Seen seen;
    ByteClient* const connection = next(holder, seen);
    ASSERT_NE(connection, nullptr);
    respond(*connection, answer);
    if (status == 200) {
      ByteClient* const again = next(other, seen);
      ASSERT_NE(again, nullptr);
      respond(*again, kOk + "\r\nfrom the other");
    }
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), status) << method << answer;
  }
}

TEST_P(OtherServers, ResponseThatIsCutOffIsBroken) {
  ByteServer& server = add_server();
  serve();
  ByteClient client(stage, socket_path(kHttp));
  client.raw("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  Seen seen;
  ByteClient* const connection = next(server, seen);
  ASSERT_NE(connection, nullptr);
  respond(*connection, kOk + "Content-Length: 10\r\n\r\npart");
  ASSERT_TRUE(client.wait_closed());
  EXPECT_THAT(client.received(), HasSubstr("Content-Length: 10\r\n"));
  EXPECT_TRUE(client.received().ends_with("part"));
}

// It closes with bytes of the body unread, which resets the connection.
TEST_P(OtherServers, AnAnswerBeforeTheBodyIsReadIsComplete) {
  shop(settings).server.health.fail = 1;
  ByteServer& server = add_server();
  serve();
  const auto client = connect();
  client->post(1, "/", std::string(1'000'000, 'x'));
  ByteClient* const connection = server.next();
  ASSERT_NE(connection, nullptr);
  connection->read(false);
  respond(*connection, kOk + "Content-Length: 7\r\n\r\nenough!");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  EXPECT_EQ(client->answer(1).body(), "enough!");
  EXPECT_EQ(bridge().log_count("server is down"), 0u);
}

TEST_P(OtherServers, OtherRolesAreRefused) {
  ByteServer& server = add_server();
  serve();
  const auto client = connect();
  client->begin(1, variables("GET", "/"), false, protocol::Role::authorizer);
  client->body_end(1);
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 501);
  EXPECT_EQ(server.accepted(), 0u);
  EXPECT_TRUE(bridge().wait_for_log("only FastCGI servers have other roles"));
}

TEST_P(OtherServers, VariablesMayBeTooManyForUwsgi) {
  shop(settings).limits.params = 256 * 1024;
  ByteServer& server = add_server();
  serve();
  const auto client = connect();
  client->request(1, variables("GET", "/", {{"HTTP_LONG", std::string(66'000, 'x')}}), "");
  if (GetParam() == ServerProtocol::scgi) {
    Seen seen;
    ByteClient* const connection = server.next();
    ASSERT_NE(connection, nullptr);
    until([&] { return connection->received().size() > 66'000; }, "the variables");
    respond(*connection, kOk + "\r\nok");
  }
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), GetParam() == ServerProtocol::scgi ? 200 : 431);
}

TEST_P(OtherServers, ASlowClientHoldsTheServerBack) {
  shop(settings).buffer_responses.file = 0;
  ByteServer& server = add_server();
  serve();
  const auto client = connect();
  client->read(false);
  client->get(1, "/");
  Seen seen;
  ByteClient* const connection = next(server, seen);
  ASSERT_NE(connection, nullptr);
  const std::string body(8'000'000, 'b');
  connection->raw(kOk + "\r\n" + body);
  const std::size_t before = bridge().resident();
  until([&] { return connection->unsent() > 0; }, "the server to be held back");
  EXPECT_LT(bridge().resident(), before + 4'000'000);
  client->read(true);
  until([&] { return connection->unsent() == 0; }, "all of it to be taken");
  connection->close();
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).body(), body);
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
