// The control socket as its peers see it. The server runs on a thread of its own, the test on
// blocking sockets.
#include "daemon/master/control/server.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <future>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/master/socket_address.hpp"
#include "tests/daemon/master/control/fake_commands.hpp"
#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master::control {
namespace {

constexpr int kPatienceMs = 30'000;

class Connection {
 public:
  explicit Connection(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    const SocketAddress address = unix_address(path);
    EXPECT_EQ(::connect(socket_.get(), address.get(), address.length), 0);
  }

  void send(std::string_view bytes) {
    // A server that has closed already is part of some tests.
    (void)::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  void close() { socket_.reset(); }

  // Until `end` has arrived or the server has closed.
  std::string read_until(std::string_view end) {
    while (text_.find(end) == std::string::npos && !closed_) read_some();
    return std::exchange(text_, {});
  }
  std::string read_all() {
    while (!closed_) read_some();
    return std::exchange(text_, {});
  }

 private:
  void read_some() {
    pollfd poll{socket_.get(), POLLIN, 0};
    if (::poll(&poll, 1, kPatienceMs) != 1) throw std::runtime_error("the server says nothing");
    char bytes[4096];
    const ssize_t count = ::recv(socket_.get(), bytes, sizeof(bytes), 0);
    closed_ = count <= 0;
    if (count > 0) text_.append(bytes, static_cast<std::size_t>(count));
  }

  UniqueFd socket_;
  std::string text_;
  bool closed_ = false;
};

class ControlServerTest : public ::testing::Test {
 protected:
  ~ControlServerTest() override { end(); }

  void start(Limits limits = {}) {
    settings.address.name = path;
    server = std::make_unique<Server>(io, settings, api, limits);
    thread = std::thread([this] { io.run(); });
  }
  void end() {
    if (!thread.joinable()) return;
    io.stop();
    thread.join();
    server.reset();
  }
  // Asks until it is neither turned away nor, on a slow machine, out of the server's patience.
  std::string status_when_there_is_room() {
    std::string reply;
    while (reply.empty() || reply.starts_with("HTTP/1.1 503")) {
      Connection connection(path);
      connection.send("GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n");
      reply = connection.read_until("}\n");
    }
    return reply;
  }
  // On the server's thread.
  template <class Function>
  auto there(Function function) {
    std::packaged_task<decltype(function())()> task(std::move(function));
    auto result = task.get_future();
    boost::asio::post(io, std::move(task));
    return result.get();
  }

  TemporaryDirectory directory;
  const std::string path = directory.path() + "/control.sock";
  testing::FakeCommands commands;
  Api api{commands, {::geteuid(), std::nullopt}};
  config::ControlSettings settings;
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  std::unique_ptr<Server> server;
  std::unique_ptr<Connection> left;
  std::thread thread;
};

constexpr std::string_view kStatus = "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kReload = "POST /v1/reload HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(ControlServerTest, ABridgeIsRefusedAndReported) {
  commands.bridge = ::getpid();
  start();
  Connection connection(path);
  connection.send("POST /v1/stop HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string reply = connection.read_all();
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 403 Forbidden\r\n")) << reply;
  const auto head = reply.find("\r\n\r\n");
  ASSERT_NE(head, std::string::npos);
  const std::string body = reply.substr(head + 4);
  EXPECT_EQ(body, "{\"error\": \"no bridge may ask this\"}\n");
  EXPECT_NE(reply.find("Content-Length: " + std::to_string(body.size()) + "\r\n"),
            std::string::npos);
  there([this] { commands.bridge = -1; });
  EXPECT_TRUE(status_when_there_is_room().starts_with("HTTP/1.1 200"));
  end();
  EXPECT_EQ(commands.calls, std::vector{"bridge " + std::to_string(::getpid())});
}

TEST_F(ControlServerTest, AnswersOneRequestAfterTheOther) {
  start();
  Connection connection(path);
  for (int i = 0; i < 3; ++i) {
    connection.send(kStatus);
    const std::string reply = connection.read_until("}\n");
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 OK\r\n")) << reply;
    EXPECT_NE(reply.find("Content-Type: application/json\r\n"), std::string::npos);
    EXPECT_NE(reply.find("\"version\":\"1.2.3\""), std::string::npos);
  }
  connection.send("GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(connection.read_all().ends_with("}\n"));
}

TEST_F(ControlServerTest, RequestsMayComeByteByByteOrTogether) {
  start();
  Connection slow(path);
  for (const char c : kStatus) slow.send({&c, 1});
  EXPECT_TRUE(slow.read_until("}\n").starts_with("HTTP/1.1 200"));
  Connection eager(path);
  eager.send(std::string(kReload) + std::string(kStatus));
  EXPECT_NE(eager.read_until("\"version\"").find("so be it"), std::string::npos);
}

TEST_F(ControlServerTest, WhatIsNoRequestIsRefusedAndTheConnectionClosed) {
  start();
  struct Row {
    std::string bytes;
    const char* status;
  };
  const std::string head = "POST /v1/reload HTTP/1.1\r\nHost: x\r\n";
  const Row rows[] = {
      {"\x16\x03\x01\x02garbage\r\n\r\n", "400"},
      {"GET\r\n\r\n", "400"},
      {"GET /v1/status HTTP/3.7\r\n\r\n", "400"},
      {head + "Content-Length: x\r\n\r\n", "400"},
      {head + "X: " + std::string(9000, 'x') + "\r\n\r\n", "431"},
      {head + "X: " + std::string(100'000, 'x'), "431"},
      {head + "Content-Length: 65537\r\n\r\n", "413"},
      {head + "Content-Length: 99999999999\r\n\r\n", "413"},
      {head + "Transfer-Encoding: chunked\r\n\r\n20000\r\n" + std::string(0x20000, 'x'), "413"},
  };
  for (const Row& row : rows) {
    Connection connection(path);
    connection.send(row.bytes);
    const std::string reply = connection.read_all();
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 " + std::string(row.status))) << row.status << reply;
    EXPECT_NE(reply.find("{\"error\":\""), std::string::npos) << reply;
  }
  EXPECT_TRUE(there([this] { return commands.calls.empty(); }));
}

TEST_F(ControlServerTest, HeadsAndBodiesUpToTheLimitPass) {
  start();
  Connection connection(path);
  connection.send("POST /v1/reload HTTP/1.1\r\nHost: x\r\nX: " + std::string(7900, 'x') +
                  "\r\nContent-Length: 65536\r\n\r\n{" + std::string(65534, ' ') + "}");
  EXPECT_TRUE(connection.read_until("}\n").starts_with("HTTP/1.1 200"));
}

TEST_F(ControlServerTest, MethodThatIsNotAllowedIsNamed) {
  start();
  Connection connection(path);
  connection.send("BREW /v1/status HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string reply = connection.read_until("}\n");
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 405"));
  EXPECT_NE(reply.find("Allow: GET\r\n"), std::string::npos);
}

TEST_F(ControlServerTest, SilentPeersAreDroppedAndOthersServedMeanwhile) {
  start({.patience = std::chrono::milliseconds(300)});
  Connection silent(path);
  Connection stuck(path);
  stuck.send("POST /v1/reload HTTP/1.1\r\nContent-Length: 10\r\n\r\n{");
  EXPECT_TRUE(status_when_there_is_room().starts_with("HTTP/1.1 200"));
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_EQ(stuck.read_all(), "");
  EXPECT_TRUE(there([this] { return commands.calls.empty(); }));
}

TEST_F(ControlServerTest, PeersThatDoNotReadAreDropped) {
  channel::ListedRequest large;
  large.target = std::string(8'000'000, 'x');
  commands.lists = {{.generation = 1, .answered = true, .requests = {large}}};
  start({.connections = 1, .patience = std::chrono::milliseconds(300)});
  Connection connection(path);
  connection.send("GET /v1/apps/shop/requests HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(status_when_there_is_room().starts_with("HTTP/1.1 200"));
  EXPECT_LT(connection.read_all().size(), 8'000'000u);
}

TEST_F(ControlServerTest, ThereAreOnlySoManyConnections) {
  start({.connections = 3});
  std::vector<std::unique_ptr<Connection>> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(std::make_unique<Connection>(path));
    held.back()->send(kStatus);
    EXPECT_TRUE(held.back()->read_until("}\n").starts_with("HTTP/1.1 200"));
  }
  EXPECT_TRUE(Connection(path).read_all().starts_with("HTTP/1.1 503"));
  held.pop_back();
  // The server notices the end of one in its own time.
  EXPECT_TRUE(status_when_there_is_room().starts_with("HTTP/1.1 200"));
}

TEST_F(ControlServerTest, CommandOutlivesItsPeerAndFreesTheConnection) {
  commands.answers = false;
  start({.connections = 1});
  Connection connection(path);
  connection.send(kReload);
  while (there([this] { return commands.waiting.empty(); })) std::this_thread::yield();
  EXPECT_TRUE(Connection(path).read_all().starts_with("HTTP/1.1 503"));
  connection.close();
  EXPECT_TRUE(status_when_there_is_room().starts_with("HTTP/1.1 200"));
  there([this] { commands.waiting.front()({.message = "too late"}); });
}

TEST_F(ControlServerTest, AnswerComesWhenTheCommandIsDone) {
  commands.answers = false;
  start({.patience = std::chrono::seconds(1)});
  Connection connection(path);
  connection.send(kReload);
  while (there([this] { return commands.waiting.empty(); })) std::this_thread::yield();
  // Longer than a request may take to arrive, which the end of this one shows: waiting for a
  // command is something else.
  EXPECT_EQ(Connection(path).read_all(), "");
  there([this] { commands.waiting.front()({.message = "at last"}); });
  EXPECT_NE(connection.read_until("}\n").find("at last"), std::string::npos);
}

TEST_F(ControlServerTest, FinishLetsAnswersGoOut) {
  commands.answers = false;
  start();
  Connection connection(path);
  connection.send("POST /v1/stop HTTP/1.1\r\nHost: x\r\n\r\n");
  while (there([this] { return commands.waiting.empty(); })) std::this_thread::yield();
  auto finished = std::make_shared<std::promise<void>>();
  auto done = finished->get_future();
  there([this, finished] {
    commands.waiting.front()({.message = "stopped"});
    server->finish([finished] { finished->set_value(); });
  });
  EXPECT_NE(connection.read_until("}\n").find("stopped"), std::string::npos);
  EXPECT_EQ(done.wait_for(std::chrono::milliseconds(kPatienceMs)), std::future_status::ready);
}

TEST_F(ControlServerTest, SocketFileThatIsGoneIsMadeAgainAndWhoHasConnectedIsAnswered) {
  start();
  EXPECT_FALSE(there([this] { return server->renew(settings); })) << "it is there";
  Connection accepted(path);
  accepted.send(kStatus);
  EXPECT_NE(accepted.read_until("}\n"), "");
  const bool renewed = there([this] {
    // Nobody is accepted as long as this runs.
    Connection waiting(path);
    waiting.send(kStatus);
    left = std::make_unique<Connection>(std::move(waiting));
    ::unlink(path.c_str());
    return server->renew(settings);
  });
  EXPECT_TRUE(renewed);
  EXPECT_NE(left->read_until("}\n"), "");
  accepted.send(kStatus);
  EXPECT_NE(accepted.read_until("}\n"), "");
  Connection fresh(path);
  fresh.send(kStatus);
  EXPECT_NE(fresh.read_until("}\n"), "");
}

TEST_F(ControlServerTest, WhatHasTakenThePlaceOfItsFileIsLeftAlone) {
  start();
  ::unlink(path.c_str());
  ASSERT_EQ(::symlink("/dev/null", path.c_str()), 0);
  const std::string refusal = there([this]() -> std::string {
    try {
      server->renew(settings);
    } catch (const ListenerError& error) {
      return error.what();
    }
    return "";
  });
  EXPECT_EQ(refusal, "control: unix:" + path + " exists and is no socket");
  end();
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0);
}

TEST_F(ControlServerTest, SocketFileIsReplacedWhenStaleAndRefusedWhenLive) {
  settings.mode = 0620;
  start();
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0620u);
  try {
    Server second(io, settings, api);
    FAIL() << "two servers on one socket";
  } catch (const ListenerError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("control: unix:" + path + " is in use"));
  }
  end();
  EXPECT_NE(::stat(path.c_str(), &status), 0) << "removed at the end";
  {
    const UniqueFd stale(::socket(AF_UNIX, SOCK_STREAM, 0));
    const SocketAddress address = unix_address(path);
    ASSERT_EQ(::bind(stale.get(), address.get(), address.length), 0);
  }
  Server third(io, settings, api);
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
}

}  // namespace
}  // namespace viaduct::daemon::master::control
