#include "people.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <viaduct/app.hpp>
#include <viaduct/testing.hpp>

#include "tests/sdk/support/ways.hpp"

namespace compose {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using viaduct::testing::Client;
using viaduct::testing::Reply;
using viaduct::testing::Via;

// A server of the Finger protocol with one thread for each connection.
class FingerPeer {
 public:
  // Nothing: says nothing until the client has left.
  using Answer = std::function<std::optional<std::string>(const std::string& line)>;

  explicit FingerPeer(Answer answer) : answer_(std::move(answer)) {
    accept();
    thread_ = std::thread([this] { context_.run(); });
  }
  FingerPeer(const FingerPeer&) = delete;
  FingerPeer& operator=(const FingerPeer&) = delete;
  ~FingerPeer() {
    context_.stop();
    thread_.join();
  }

  [[nodiscard]] FingerServer server() const {
    return {.host = "127.0.0.1", .port = std::to_string(acceptor_.local_endpoint().port())};
  }

 private:
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
      if (error) return;
      connections_.emplace_back([this, socket = std::move(socket)]() mutable { serve(socket); });
      accept();
    });
  }
  void serve(tcp::socket& socket) const {
    boost::system::error_code ignored;
    std::string line;
    asio::read_until(socket, asio::dynamic_buffer(line), '\n', ignored);
    if (const auto text = answer_(line)) {
      asio::write(socket, asio::buffer(*text), ignored);
    } else {
      std::array<char, 1> end{};
      EXPECT_EQ(socket.read_some(asio::buffer(end), ignored), 0U);
    }
  }

  const Answer answer_;
  asio::io_context context_;
  tcp::acceptor acceptor_{context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::vector<std::jthread> connections_;
  std::thread thread_;
};

class PeopleTest : public ::testing::TestWithParam<viaduct::test::Way> {
 protected:
  Reply get(const FingerServer& server, std::string_view target) {
    viaduct::App app;
    app.model(GetParam().model);
    app.mount("/people", people(server));
    return Client(app, GetParam().via).get(target);
  }
};

INSTANTIATE_TEST_SUITE_P(People, PeopleTest, ::testing::ValuesIn(viaduct::test::kSomeWays),
                         viaduct::test::way_name);

TEST_P(PeopleTest, WhatTheServerSaysIsPassedOn) {
  const FingerPeer peer([](const std::string& line) { return "Login: " + line; });
  const Reply reply = get(peer.server(), "/people/ada");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "Login: ada\r\n");
}

TEST_P(PeopleTest, NamesCannotSayMoreThanAName) {
  std::atomic<int> asked{0};
  const FingerPeer peer([&asked](const std::string&) { return std::to_string(++asked); });
  for (const char* const name : {"a%0D%0Aroot", "ada@elsewhere", "a%20b", "%C3%A4"}) {
    EXPECT_EQ(get(peer.server(), std::string("/people/") + name).status, 400) << name;
  }
  EXPECT_EQ(get(peer.server(), "/people/" + std::string(33, 'a')).status, 400);
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(get(peer.server(), "/people/" + std::string(32, 'a')).status, 200);
}

TEST_P(PeopleTest, NobodyWaitsForAServerThatIsSilent) {
  const FingerPeer peer([](const std::string&) { return std::nullopt; });
  FingerServer server = peer.server();
  server.patience = std::chrono::milliseconds(20);
  const Reply reply = get(server, "/people/ada");
  EXPECT_EQ(reply.status, 504);
  EXPECT_EQ(reply.body, "Nobody answers.\n");
}

TEST_P(PeopleTest, AServerThatIsNotThereIsNotWaitedFor) {
  // Bound and not listening, so that nobody else gets the port meanwhile.
  asio::io_context context;
  tcp::acceptor bound(context, tcp::v4());
  bound.bind({asio::ip::address_v4::loopback(), 0});
  const FingerServer server{.host = "127.0.0.1",
                            .port = std::to_string(bound.local_endpoint().port()),
                            .patience = std::chrono::hours(1)};
  const Reply reply = get(server, "/people/ada");
  EXPECT_EQ(reply.status, 502);
  EXPECT_EQ(reply.body, "Nobody knows: Connection refused.\n");
}

TEST_P(PeopleTest, AnAnswerWithoutEndIsCutOff) {
  for (const std::size_t size : {65535U, 65536U, 65537U, 1000000U}) {
    const FingerPeer peer([size](const std::string&) { return std::string(size, 'x'); });
    const Reply reply = get(peer.server(), "/people/ada");
    EXPECT_EQ(reply.status, size <= 65536 ? 200 : 502) << size;
    EXPECT_EQ(reply.body.size() == size, size <= 65536) << size;
  }
}

TEST_P(PeopleTest, WhoWaitsHoldsNobodyUp) {
  constexpr int kVisitors = 4;
  std::latch all(kVisitors);
  const FingerPeer peer([&all](const std::string& line) {
    all.arrive_and_wait();
    return line;
  });
  viaduct::App app;
  app.model(GetParam().model);
  app.mount("/people", people(peer.server()));
  std::vector<Client> clients;
  for (int i = 0; i < kVisitors; ++i) clients.emplace_back(app, GetParam().via);
  std::vector<std::jthread> threads;
  for (int i = 0; i < kVisitors; ++i) {
    threads.emplace_back([&client = clients[static_cast<std::size_t>(i)], i] {
      const std::string name = "visitor" + std::to_string(i);
      EXPECT_EQ(client.get("/people/" + name).body, name + "\r\n");
    });
  }
}

}  // namespace
}  // namespace compose
