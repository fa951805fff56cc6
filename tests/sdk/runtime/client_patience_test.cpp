#include "sdk/src/runtime/client_patience.hpp"

#include <poll.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>

#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

using detail::ClientLimits;
using detail::ClientPatience;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Awaited = ClientPatience::Awaited;

constexpr ClientPatience::Time kStart{seconds(1000)};

TEST(ClientPatienceTest, EachAwaitedThingHasItsOwnLimit) {
  ClientPatience patience({.idle = seconds(60), .head = seconds(30)});
  EXPECT_EQ(patience.deadline(), ClientPatience::Time::max());
  patience.await(Awaited::request, kStart);
  EXPECT_EQ(patience.deadline(), kStart + seconds(60));
  patience.await(Awaited::head, kStart + seconds(50));
  EXPECT_EQ(patience.deadline(), kStart + seconds(80));
  patience.await(Awaited::nothing, kStart + seconds(51));
  EXPECT_EQ(patience.deadline(), ClientPatience::Time::max());
  patience.await(Awaited::request, kStart + seconds(500));
  EXPECT_EQ(patience.deadline(), kStart + seconds(560));
}

TEST(ClientPatienceTest, MoreOfTheSameDoesNotStopTheClock) {
  ClientPatience patience({.idle = seconds(60), .head = seconds(30)});
  for (int i = 0; i < 100; ++i) patience.await(Awaited::head, kStart + seconds(i));
  EXPECT_EQ(patience.deadline(), kStart + seconds(30));
  patience.restart(kStart + seconds(100));
  EXPECT_EQ(patience.deadline(), kStart + seconds(130));
}

TEST(ClientPatienceTest, ZeroIsForEver) {
  ClientPatience patience({.idle = seconds(0), .head = seconds(0)});
  for (const Awaited what : {Awaited::request, Awaited::head}) {
    patience.await(what, kStart);
    EXPECT_EQ(patience.deadline(), ClientPatience::Time::max());
  }
}

TEST(ClientPatienceTest, ABodyMayBeSilentForAWhile) {
  ClientPatience patience({.body = seconds(60), .body_rate = 0});
  patience.begin_request(kStart);
  EXPECT_EQ(patience.deadline(), ClientPatience::Time::max()) << "nobody waits for it yet";
  patience.await(Awaited::body, kStart + seconds(5));
  EXPECT_EQ(patience.deadline(), kStart + seconds(65));
  patience.receive(1, kStart + seconds(64));
  EXPECT_EQ(patience.deadline(), kStart + seconds(124));
  EXPECT_FALSE(patience.late(kStart + seconds(123)));
  EXPECT_TRUE(patience.late(kStart + seconds(124)));
  patience.await(Awaited::nothing, kStart + seconds(70));
  EXPECT_EQ(patience.deadline(), ClientPatience::Time::max()) << "the handler is at work";
}

TEST(ClientPatienceTest, ABodyHasARateBehindTheGrace) {
  struct Row {
    int waited;  // seconds, in which so many bytes have come
    std::uint64_t bytes;
    int deadline;  // in seconds of waiting
  };
  for (const auto& [waited, bytes, deadline] : std::initializer_list<Row>{{0, 0, 20},
                                                                          {0, 10'000, 20},
                                                                          {0, 9'999, 20},
                                                                          {0, 10'001, 20},
                                                                          {0, 10'485'760, 20},
                                                                          {1, 10'485'760, 21},
                                                                          {15, 9'999, 20},
                                                                          {20, 15'000, 30},
                                                                          {20, 10'000, 20},
                                                                          {25, 10'000, 25}}) {
    ClientPatience patience({.body = seconds(0), .body_rate = 500, .grace = seconds(20)});
    patience.begin_request(kStart);
    patience.await(Awaited::body, kStart);
    patience.receive(bytes, kStart + seconds(waited));
    // The handler's own time does not count.
    patience.await(Awaited::nothing, kStart + seconds(waited));
    patience.await(Awaited::body, kStart + hours(1));
    EXPECT_EQ(patience.deadline(), kStart + hours(1) + seconds(deadline - waited))
        << waited << " " << bytes;
  }
}

// Fast at first, then a byte each so many seconds; when it is too late.
TEST(ClientPatienceTest, AFastStartIsWorthAsMuchAsSilence) {
  struct Row {
    int silence;
    int every;
    int times;
    int deadline;
  };
  for (const auto& [silence, every, times, deadline] :
       std::initializer_list<Row>{{20, 0, 0, 20},
                                  {20, 19, 1, 20},
                                  {20, 10, 2, 20},
                                  {20, 1, 19, 20},
                                  {1, 0, 0, 1},
                                  {0, 0, 0, 20},
                                  {60, 0, 0, 60},
                                  {60, 50, 1, 60},
                                  {60, 20, 3, 60}}) {
    ClientPatience patience({.body = seconds(silence), .body_rate = 500, .grace = seconds(20)});
    patience.begin_request(kStart);
    patience.await(Awaited::body, kStart);
    patience.receive(10'485'760, kStart);
    for (int i = 1; i <= times; ++i) patience.receive(1, kStart + seconds(every * i));
    EXPECT_LE(patience.deadline(), kStart + seconds(deadline) + milliseconds(2 * times)) << every;
    EXPECT_GE(patience.deadline(), kStart + seconds(deadline)) << every;
  }
}

// A client that takes some of a response shows that it is alive, and sends no faster by it.
TEST(ClientPatienceTest, ReadingIsNoSending) {
  ClientPatience patience({.body = seconds(60), .body_rate = 500, .grace = seconds(20)});
  patience.begin_request(kStart);
  patience.await(Awaited::body, kStart);
  for (int i = 1; i < 20; ++i) patience.restart(kStart + seconds(i));
  EXPECT_EQ(patience.deadline(), kStart + seconds(20));
}

TEST(ClientPatienceTest, EachRequestHasItsOwnRate) {
  ClientPatience patience({.body = seconds(0), .body_rate = 500, .grace = seconds(20)});
  for (int i = 0; i < 3; ++i) {
    patience.begin_request(kStart);
    patience.await(Awaited::body, kStart);
    EXPECT_EQ(patience.deadline(), kStart + seconds(20));
    patience.receive(1'000'000, kStart + seconds(15));
  }
}

TEST(ClientPatienceTest, WhoTakesNothingIsKnownByTheKernelsQueue) {
  ClientPatience patience({.send = seconds(60)});
  patience.block(kStart);
  EXPECT_EQ(patience.deadline(), kStart + seconds(60));
  EXPECT_FALSE(patience.unread(kStart + seconds(59), 5000));
  EXPECT_FALSE(patience.unread(kStart + seconds(60), 5000)) << "it may have taken some";
  EXPECT_EQ(patience.deadline(), kStart + seconds(120));
  EXPECT_FALSE(patience.unread(kStart + seconds(120), 4999));
  EXPECT_TRUE(patience.unread(kStart + seconds(180), 4999));
  patience.unblock();
  EXPECT_EQ(patience.deadline(), ClientPatience::Time::max());
  EXPECT_FALSE(patience.unread(kStart + hours(1), 4999));
}

// A client of HTTP.
class HttpClient {
 public:
  explicit HttpClient(std::string address) {
    address.replace(0, 6, 1, '\0');  // unix:@
    socket_.connect(boost::asio::local::stream_protocol::endpoint(address));
  }
  // Does nothing when the server has closed already.
  void send(std::string_view text) {
    boost::system::error_code closed;
    boost::asio::write(socket_, boost::asio::buffer(text), closed);
  }
  // Sends one byte after the other until the server does something.
  void trickle() {
    pollfd input{socket_.native_handle(), POLLIN, 0};
    while (::poll(&input, 1, 1) == 0) send("x");
  }
  std::string read_until(std::string_view end) {
    std::string text;
    boost::asio::read_until(socket_, boost::asio::dynamic_buffer(text), end);
    return text;
  }
  // Waits for the server to close, and returns what it has sent before.
  std::string read_all() {
    std::string text;
    boost::system::error_code end;
    boost::asio::read(socket_, boost::asio::dynamic_buffer(text), end);
    return text;
  }

 private:
  boost::asio::io_context io_;
  boost::asio::local::stream_protocol::socket socket_{io_};
};

class ImpatienceTest : public ModelTest {
 protected:
  [[nodiscard]] std::unique_ptr<Serving> serve_http(const ClientLimits& clients) {
    return std::make_unique<Serving>(app,
                                     detail::ServerOptions{.model = GetParam(), .clients = clients},
                                     detail::Listener::Protocol::http);
  }
  // Returns once the limits have passed for a client that came later.
  static void outlast_limits(const Serving& serving) {
    HttpClient slow(serving.address());
    slow.send("GET");
    EXPECT_EQ(slow.read_all(), "");
  }
};

constexpr milliseconds kShort{20};
constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(Models, ImpatienceTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(ImpatienceTest, WhoSaysNothingIsDisconnected) {
  const auto serving = serve_http({.idle = kShort, .head = hours(1)});
  EXPECT_EQ(HttpClient(serving->address()).read_all(), "");
}

TEST_P(ImpatienceTest, WhoSaysNoMoreIsDisconnected) {
  app.get("/", [](Request&, Response& res) { res.send("hello\n"); });
  const auto serving = serve_http({.idle = kShort, .head = hours(1)});
  std::string seen;
  while (seen.empty()) {  // the test itself may be too slow to say anything
    HttpClient client(serving->address());
    client.send(kGet);
    seen = client.read_all();
  }
  EXPECT_THAT(seen, ::testing::EndsWith("\r\n\r\nhello\n"));
}

TEST_P(ImpatienceTest, AHeadThatComesByteByByteIsCutOff) {
  app.get("/", [](Request&, Response& res) { res.send("hello\n"); });
  const auto serving = serve_http({.idle = hours(1), .head = kShort});
  HttpClient client(serving->address());
  client.send("GET / HTTP/1.1\r\nHost: h\r\nX: ");
  client.trickle();
  EXPECT_EQ(client.read_all(), "");
  HttpClient second(serving->address());
  second.send(kGet);
  EXPECT_THAT(second.read_until("hello\n"), ::testing::StartsWith("HTTP/1.1 200 "));
  second.send("GET / HTTP/1.1\r\n");
  EXPECT_EQ(second.read_all(), "");
}

TEST_P(ImpatienceTest, HandlersAndBodiesTakeTheirTime) {
  Flag entered;
  Flag proceed;
  app.post("/", [&](Request& req, Response& res) {
    entered.set();
    const std::string body = req.body().text();
    EXPECT_TRUE(proceed.wait());
    res.send(body + "\n");
  });
  const auto serving = serve_http({.idle = hours(1), .head = kShort});
  HttpClient client(serving->address());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\n\r\nab");
  ASSERT_TRUE(entered.wait());
  outlast_limits(*serving);
  client.send("cd");
  proceed.set();
  EXPECT_THAT(client.read_all(), ::testing::EndsWith("abcd\n"));
}

TEST_P(ImpatienceTest, ABodyThatStopsIsAnswered408) {
  std::atomic<int> gone = 0;
  app.post("/", [&](Request& req, Response&) {
    try {
      (void)req.body().text();
    } catch (const client_gone&) {
      ++gone;
      throw;
    }
  });
  const auto serving = serve_http({.body = kShort});
  HttpClient client(serving->address());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");
  const std::string seen = client.read_all();
  EXPECT_THAT(seen, ::testing::StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(seen, ::testing::HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(gone, 1);
}

TEST_P(ImpatienceTest, ABodyThatComesByteByByteIsAnswered408) {
  app.post("/", [&](Request& req, Response&) { (void)req.body().text(); });
  const auto serving = serve_http({.body = hours(1), .body_rate = 1'000'000'000, .grace = kShort});
  HttpClient client(serving->address());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
  client.trickle();
  EXPECT_THAT(client.read_all(), ::testing::StartsWith("HTTP/1.1 408 "));
}

TEST_P(ImpatienceTest, AResponseThatHasBegunIsBrokenOff) {
  app.post("/", [&](Request& req, Response& res) {
    res.write("begun");
    res.flush();
    (void)req.body().text();
  });
  const auto serving = serve_http({.body = kShort});
  HttpClient client(serving->address());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");
  const std::string seen = client.read_all();
  EXPECT_THAT(seen, ::testing::HasSubstr("begun"));
  EXPECT_THAT(seen, ::testing::Not(::testing::EndsWith("\r\n0\r\n\r\n")));
}

TEST_P(ImpatienceTest, WhoReadsNothingIsDisconnected) {
  Flag gone;
  app.get("/", [&](Request&, Response& res) {
    try {
      while (true) res.write(std::string(64 * 1024, 'x'));
    } catch (const client_gone&) {
      gone.set();
      throw;
    }
  });
  const auto serving = serve_http({.send = kShort});
  HttpClient client(serving->address());
  client.send(kGet);
  EXPECT_TRUE(gone.wait());
  EXPECT_THAT(client.read_all(), ::testing::Not(::testing::EndsWith("\r\n0\r\n\r\n")));
}

TEST_P(ImpatienceTest, FrontServersKeepTheirConnections) {
  app.get("/", [](Request&, Response& res) { res.send("hello\n"); });
  const Serving serving(app, {.model = GetParam(), .clients = {.idle = kShort, .head = kShort}});
  const auto http = serve_http({.idle = kShort, .head = kShort});
  Peer peer(serving.address());
  EXPECT_EQ(peer.get("/").body(), "hello\n");
  peer.begin(1, "GET", "/");
  peer.flush();
  outlast_limits(*http);
  peer.input_end(1);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.get("/").body(), "hello\n");
}

}  // namespace
}  // namespace viaduct::test
