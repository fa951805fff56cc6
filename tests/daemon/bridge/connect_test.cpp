// Apps whose servers others run.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using config::Address;
using std::chrono::milliseconds;

class Connect : public BridgeTest {
 protected:
  FakeWorker& add_server(bool tcp = false) {
    WorkerOptions options = plain();
    options.tcp = tcp;
    FakeWorker& server = make_worker(options);
    servers.push_back(&server);
    if (tcp) {
      connect_to_port(server.port());
    } else {
      shop(settings).connect.push_back({Address::Kind::unix_path, server.path(), 0});
    }
    return server;
  }
  void connect_to_port(std::uint16_t port) {
    shop(settings).connect.push_back({Address::Kind::tcp, "127.0.0.1", port});
  }
  void limit(std::uint32_t requests) { shop(settings).concurrency.limit = requests; }
  void serve() {
    start();
    say_state(channel::AppState::serving);
  }
  std::size_t taken() const {
    std::size_t sum = 0;
    for (const FakeWorker* server : servers) sum += server->requests.size();
    return sum;
  }

  std::vector<FakeWorker*> servers;
};

class ConnectTo : public Connect, public ::testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(Address, ConnectTo, ::testing::Values(false, true),
                         [](const auto& test) { return test.param ? "Tcp" : "Unix"; });

TEST_P(ConnectTo, RequestsAreAnsweredOnConnectionsOfTheirOwn) {
  FakeWorker& server = add_server(GetParam());
  serve();
  for (int i = 0; i < 3; ++i) {
    const auto client = connect();
    client->post(1, "/form", "a=b");
    const auto request = server.next_request();
    ASSERT_TRUE(request);
    EXPECT_FALSE(request->keep);
    until([&] { return request->body_ended; }, "the body");
    EXPECT_EQ(request->body, "a=b");
    EXPECT_EQ(request->link->bridge_window(), 0u) << "it was asked for its values";
    request->respond("hello");
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).body(), "hello");
  }
  EXPECT_EQ(server.all_links.size(), 3u);
  until([&] { return server.links().empty(); }, "the connections closed");
}

TEST_P(ConnectTo, OneThatIsLostInsideARequestIsReplacedByAnotherForIdempotentOnes) {
  add_server(GetParam());
  add_server(GetParam());
  serve();
  for (const bool idempotent : {true, false}) {
    const auto client = connect();
    const std::size_t before = taken();
    if (idempotent) {
      client->get(1, "/");
    } else {
      client->post(1, "/", "data");
    }
    until([&] { return taken() > before; }, "a server to take it");
    FakeWorker& holder = servers[0]->has_request() ? *servers[0] : *servers[1];
    FakeWorker& other = &holder == servers[0] ? *servers[1] : *servers[0];
    holder.next_request()->link->close();
    if (idempotent) {
      const auto second = other.next_request();
      ASSERT_TRUE(second);
      second->respond("from the other");
    }
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), idempotent ? 200 : 502);
  }
  EXPECT_EQ(score().retried.load(), 1u);
}

TEST_P(ConnectTo, ResponseThatIsCutOffIsBroken) {
  FakeWorker& server = add_server(GetParam());
  serve();
  const auto client = connect();
  client->get(1, "/");
  const auto request = server.next_request();
  ASSERT_TRUE(request);
  request->write("Content-Type: text/plain\r\n\r\npart");
  until([&] { return !client->answer(1).body().empty(); }, "the first part");
  request->link->close();
  EXPECT_FALSE(client->wait(1));
}

TEST_F(Connect, TheNameOfAHostIsLookedUp) {
  FakeWorker& server = add_server(true);
  shop(settings).connect = {{Address::Kind::tcp, "localhost", server.port()}};
  serve();
  for (int i = 0; i < 3; ++i) {
    const auto client = connect();
    client->post(1, "/", "data");
    const auto request = server.next_request();
    ASSERT_TRUE(request);
    until([&] { return request->body_ended; }, "the body");
    request->respond("ok");
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), 200);
  }
  EXPECT_TRUE(bridge().wait_for_log("name of a server has other addresses"));
}

TEST_F(Connect, TheLeastLoadedServerGetsTheNext) {
  add_server();
  add_server();
  serve();
  const auto client = connect();
  for (protocol::RequestId id = 1; id <= 4; ++id) client->get(id, "/", true);
  until([&] { return taken() == 4; }, "four requests");
  EXPECT_EQ(servers[0]->requests.size(), 2u);
  for (FakeWorker* server : servers) {
    while (server->has_request()) server->next_request()->respond("ok");
  }
  for (protocol::RequestId id = 1; id <= 4; ++id) EXPECT_TRUE(client->wait(id));
}

TEST_F(Connect, NoServerHasMoreRequestsThanItsLimit) {
  limit(2);
  FakeWorker& server = add_server();
  serve();
  const auto client = connect();
  for (protocol::RequestId id = 1; id <= 3; ++id) client->get(id, "/", true);
  until([&] { return server.requests.size() == 2 && score().queued.load() == 1; },
        "two at the server and one in the queue");
  server.next_request()->respond("ok");
  until([&] { return server.requests.size() == 3; }, "the third");
  EXPECT_EQ(score().queued.load(), 0);
  while (server.has_request()) server.next_request()->respond("ok");
  for (protocol::RequestId id = 1; id <= 3; ++id) EXPECT_TRUE(client->wait(id));
}

TEST_F(Connect, AClientThatLeavesFreesItsPlaceAtOnce) {
  limit(1);
  FakeWorker& server = add_server();
  serve();
  auto impatient = connect();
  impatient->get(1, "/");
  const auto given_up = server.next_request();
  ASSERT_TRUE(given_up);
  impatient.reset();
  const auto client = connect();
  client->get(1, "/");
  const auto request = server.next_request();
  ASSERT_TRUE(request);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
}

TEST_F(Connect, ASocketThatIsNotThereIsPassedOver) {
  shop(settings).connect.push_back({Address::Kind::unix_path, directory.file("nobody"), 0});
  FakeWorker& server = add_server();
  serve();
  const auto client = connect();
  client->post(1, "/", "data");
  const auto request = server.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the body");
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  EXPECT_TRUE(bridge().wait_for_log("server cannot be reached"));
}

// Nothing of a request is given to a connection that is not made yet, so that it can go elsewhere
// although its body is larger than what is kept for a repetition.
TEST_F(Connect, RefusedRequestsWithLargeBodiesGoToAnotherServer) {
  shop(settings).limits.retry_buffer = 1024;
  std::vector<int> silent;
  for (int i = 0; i < 2; ++i) {
    std::uint16_t port = 0;
    silent.push_back(listen_on_loopback(port, -1));
    connect_to_port(port);
  }
  FakeWorker& server = add_server(true);
  serve();
  const auto client = connect();
  const std::string body(300'000, 'x');
  client->post(1, "/", body);
  const auto request = server.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the body");
  EXPECT_EQ(request->body, body);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  for (const int socket : silent) ::close(socket);
}

// A listener whose backlog is full: the kernel drops what further connections begin with.
class FullBacklog {
 public:
  FullBacklog() : listener_(listen_on_loopback(port_, 0)) {
    for (int i = 0; i < 4; ++i) {
      const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port_);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      EXPECT_TRUE(::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 ||
                  errno == EINPROGRESS);
      clients_.push_back(client);
    }
  }
  ~FullBacklog() {
    for (const int client : clients_) ::close(client);
    ::close(listener_);
  }
  FullBacklog(const FullBacklog&) = delete;
  FullBacklog& operator=(const FullBacklog&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  int listener_;
  std::vector<int> clients_;
};

TEST_F(Connect, AServerThatDoesNotAcceptInTimeIsPassedOver) {
  const FullBacklog full;
  connect_to_port(full.port());
  FakeWorker& server = add_server(true);
  shop(settings).timeouts.connect = milliseconds(200);
  serve();
  const auto client = connect();
  client->post(1, "/", "data");
  const auto request = server.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the body");
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
  EXPECT_TRUE(bridge().wait_for_log("timeouts.connect"));
}

TEST_F(Connect, WithoutAnyServerRequestsWaitInTheQueue) {
  shop(settings).connect.push_back({Address::Kind::unix_path, directory.file("nobody"), 0});
  shop(settings).timeouts.queue = milliseconds(300);
  serve();
  const auto client = connect();
  client->get(1, "/");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 503);
}

TEST_F(Connect, AServerThatComesBackIsFound) {
  const std::string path = directory.file("worker1");
  shop(settings).connect.push_back({Address::Kind::unix_path, path, 0});
  shop(settings).timeouts.queue = milliseconds(0);
  serve();
  const auto client = connect();
  client->get(1, "/");
  ASSERT_TRUE(bridge().wait_for_log("server cannot be reached"));
  FakeWorker& server = make_worker(plain());
  ASSERT_EQ(server.path(), path);
  const auto request = server.next_request();
  ASSERT_TRUE(request);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 200);
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
