// What front servers may send, and how much of it.

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"
#include "tests/daemon/bridge/byte_client.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

/// The access log of a bridge.
class AccessLog {
 public:
  explicit AccessLog(BridgeProcess& bridge) {
    EXPECT_EQ(::pipe(ends_.data()), 0);
    channel::Message target;
    target.type = channel::Type::log_target;
    target.target = channel::LogTarget::access;
    bridge.send(target, ends_[1]);
  }
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;
  ~AccessLog() { ::close(ends_[0]); }

  /// Waits for what is written next: a line, where requests come one by one.
  std::string read() {
    std::array<char, 4096> line{};
    const ssize_t size = ::read(ends_[0], line.data(), line.size());
    EXPECT_GT(size, 0);
    return {line.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }

 private:
  std::array<int, 2> ends_{};
};

class FrontTest : public BridgeTest {
 protected:
  // Whether the bridge has that socket open.
  bool has_open(ino_t socket) {
    const std::string wanted = "socket:[" + std::to_string(socket) + "]";
    const std::filesystem::path open = "/proc/" + std::to_string(bridge().pid()) + "/fd";
    for (const auto& entry : std::filesystem::directory_iterator(open)) {
      std::error_code gone;
      if (std::filesystem::read_symlink(entry.path(), gone) == wanted) return true;
    }
    return false;
  }
  // Sends a body of `size` bytes; returns the status of the answer, 200 when it reached the worker.
  int upload(FakeWorker& worker, std::size_t size, bool declared) {
    const auto client = connect();
    if (declared) {
      client->post(1, "/", std::string(size, 'x'));
    } else {
      client->begin(1, variables("POST", "/"));
      for (std::size_t sent = 0; sent < size; sent += 1000) {
        client->body(1, std::string(std::min<std::size_t>(1000, size - sent), 'x'));
      }
      client->body_end(1);
    }
    const auto settled = [&] { return client->answer(1).ended || whole(worker, size); };
    if (!stage.run_until(settled)) return 0;
    if (!client->answer(1).ended) {
      const auto request = worker.requests.back();
      request->respond("ok");
      client->wait(1);
    }
    return client->answer(1).status();
  }

  static bool whole(FakeWorker& worker, std::size_t size) {
    return !worker.requests.empty() && worker.requests.back()->body_ended &&
           worker.requests.back()->body.size() == size && worker.requests.back()->link != nullptr;
  }
};

TEST_F(FrontTest, BodyLimitHoldsForDeclaredAndStreamedBodies) {
  shop(settings).limits.body = 100'000;
  start();
  FakeWorker& worker = add_worker();
  for (const bool declared : {true, false}) {
    SCOPED_TRACE(declared);
    EXPECT_EQ(upload(worker, 99'999, declared), 200);
    EXPECT_EQ(upload(worker, 100'000, declared), 200);
    const std::size_t before = worker.requests.size();
    EXPECT_EQ(upload(worker, 100'001, declared), 413);
    if (declared) {
      EXPECT_EQ(worker.requests.size(), before) << "the worker never sees it";
    }
    for (const auto& request : worker.requests) {
      if (request->aborted) request->end();
    }
  }
  EXPECT_TRUE(bridge().wait_for_log("limits.body"));
}

TEST_F(FrontTest, ParamsLimitIsAnswered431) {
  shop(settings).limits.params = 2000;
  start();
  FakeWorker& worker = add_worker();
  const std::uint64_t used = variables("GET", "/", {{"HTTP_X", ""}}).bytes();
  struct Row {
    std::uint64_t total;
    int status;
  };
  for (const Row& row : {Row{1999, 200}, Row{2000, 200}, Row{2001, 431}, Row{100'000, 431}}) {
    const auto client = connect();
    const std::string value(row.total - used, 'v');
    client->begin(1, variables("GET", "/", {{"HTTP_X", value}}));
    client->body_end(1);
    if (row.status == 200) {
      const auto request = worker.next_request();
      ASSERT_TRUE(request) << row.total;
      request->respond("ok");
    }
    ASSERT_TRUE(client->wait(1)) << row.total;
    EXPECT_EQ(client->answer(1).status(), row.status) << row.total;
  }
}

TEST_F(FrontTest, RefusedRequestWhoseBodyIsStillComingIsAnswered) {
  shop(settings).limits.body = 1000;
  start();
  const std::string body(2'000'000, 'x');
  const auto client = connect();
  client->read(false);
  client->post(1, "/", body);
  until([&] { return client->unsent() == 0; }, "the client to have written");
  client->read(true);
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 413);
  EXPECT_FALSE(client->failed());

  const auto scgi = connect_scgi();
  scgi->head(variables("POST", "/"), body.size());
  scgi->raw(body);
  ASSERT_TRUE(scgi->wait_closed());
  EXPECT_EQ(scgi->answer().status(), 413);
  EXPECT_FALSE(scgi->failed());
}

TEST_F(FrontTest, CutBodyIsAnAbortNotAnEnd) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->begin(1, variables("POST", "/", {{"CONTENT_LENGTH", "10"}}), true);
  client->body(1, "half");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  client->body_end(1);
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 400);
  until([&] { return request->aborted; }, "the abort");
  EXPECT_FALSE(request->body_ended);
}

TEST_F(FrontTest, BodyBeyondContentLengthIsDropped) {
  start();
  FakeWorker& worker = add_worker(plain());
  const auto client = connect();
  client->begin(1, variables("GET", "/", {{"CONTENT_LENGTH", "0"}}));
  client->body(1, std::string("\x01\x01\x00\x01\x00\x08\x00\x00\0\1\1\0\0\0\0\0", 16));
  client->body_end(1);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the end of the body");
  EXPECT_EQ(request->body, "");
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
}

struct Malformed {
  const char* name;
  std::size_t listener;
  std::string bytes;
};

class MalformedBytes : public FrontTest, public ::testing::WithParamInterface<Malformed> {};

INSTANTIATE_TEST_SUITE_P(
    Fronts, MalformedBytes,
    ::testing::Values(
        Malformed{"HttpRequest", 0, "GET / HTTP/1.1\r\n\r\n"},
        Malformed{"WrongVersion", 0, std::string("\x02\x01\x00\x01\x00\x08\x00\x00", 8)},
        Malformed{"IdZero", 0, std::string("\x01\x01\x00\x00\x00\x08\x00\x00\0\1\0\0\0\0\0\0", 16)},
        Malformed{"StdinBeforeParamsEnd", 0,
                  std::string("\x01\x01\x00\x01\x00\x08\x00\x00\0\1\0\0\0\0\0\0"
                              "\x01\x05\x00\x01\x00\x01\x00\x00x",
                              25)},
        Malformed{"NoNetstring", 1, "x"}, Malformed{"LeadingZero", 1, "012:"},
        Malformed{"HugeNetstring", 1, "99999999999999999999:"},
        Malformed{"NoContentLength", 1, std::string("7:SCGI\0001\0,", 10)}),
    [](const auto& test) { return test.param.name; });

TEST_P(MalformedBytes, CloseOnlyTheirOwnConnection) {
  start();
  FakeWorker& worker = add_worker();
  const auto sound = connect();
  sound->get(1, "/", true);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  FrontClient bad(stage, socket_path(GetParam().listener));
  bad.raw(GetParam().bytes);
  ASSERT_TRUE(bad.wait_closed());
  EXPECT_TRUE(bridge().wait_for_log("malformed bytes from a front server"));
  EXPECT_TRUE(bridge().wait_for_log("peer=\"pid " + std::to_string(::getpid())));
  EXPECT_TRUE(bridge().wait_for_log(socket_path(GetParam().listener)));
  EXPECT_EQ(bridge().scores().malformed, 1u);
  request->respond("ok");
  ASSERT_TRUE(sound->wait(1));
  EXPECT_EQ(sound->answer(1).status(), 200);
}

TEST_F(FrontTest, ManyMalformedConnectionsWriteFewLines) {
  start();
  for (int i = 0; i < 50; ++i) {
    const auto bad = connect();
    bad->raw("nonsense");
    ASSERT_TRUE(bad->wait_closed());
  }
  EXPECT_EQ(bridge().scores().malformed, 50u);
  // One a second; a loaded machine may take a while for the fifty.
  EXPECT_LT(bridge().log_count("malformed bytes"), 25u);
}

TEST_F(FrontTest, RulesForUnixPeers) {
  protocol::PeerRule somebody_else{
      .kind = protocol::PeerRule::Kind::uid, .text = "uid:x", .id = 12345};
  protocol::PeerRule me{.kind = protocol::PeerRule::Kind::uid, .text = "uid:me", .id = ::getuid()};
  settings.listeners[0].allow = {me};
  settings.listeners[0].trusted = {me};
  settings.listeners[1].allow = {somebody_else};
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->begin(1, variables("GET", "/", {{"VIADUCT_TRACE", "7"}}));
  client->body_end(1);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("VIADUCT_TRACE"), "7") << "trusted";
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  const auto refused = connect_scgi();
  ASSERT_TRUE(refused->wait_closed());
  EXPECT_EQ(refused->answer().output, "");
  EXPECT_TRUE(bridge().wait_for_log("not in allow"));
}

TEST_F(FrontTest, RoutesMountAndOverridesApply) {
  config::BridgeApp blog = shop(settings);
  blog.name = "blog";
  blog.params = {{"HTTPS", "on"}, {"HTTP_X_SECRET", std::nullopt}};
  settings.apps.push_back(blog);
  settings.listeners[0].routes = {{.path = "/blog", .mount = true, .app = "blog"}};
  start();
  FakeWorker& worker = make_worker({});
  channel::Message added;
  added.type = channel::Type::worker_added;
  added.app = 1;
  added.serial = worker.serial;
  added.set_path(worker.path());
  bridge().send(added);
  const auto client = connect();
  client->begin(1, variables("GET", "/blog/1", {{"HTTP_X_SECRET", "s"}}), true);
  client->body_end(1);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("SCRIPT_NAME"), "/blog");
  EXPECT_EQ(request->param("PATH_INFO"), "/1");
  EXPECT_EQ(request->param("HTTPS"), "on");
  EXPECT_FALSE(request->params.get("HTTP_X_SECRET"));
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  client->get(1, "/blogger", true);
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).status(), 404);
}

TEST_F(FrontTest, ConnectionsBeyondTheLimitWait) {
  settings.limits.connections = 2;
  start();
  FakeWorker& worker = add_worker();
  auto first = connect();
  auto second = connect();
  first->get(1, "/1", true);
  second->get(1, "/2", true);
  const auto one = worker.next_request();
  const auto two = worker.next_request();
  ASSERT_TRUE(one && two);
  const auto third = connect();
  third->get(1, "/3", true);
  EXPECT_TRUE(bridge().wait_for_log("limits.connections reached"));
  EXPECT_FALSE(worker.has_request());
  one->respond("ok");
  two->respond("ok");
  ASSERT_TRUE(first->wait(1) && second->wait(1));
  first->close();
  const auto three = worker.next_request();
  ASSERT_TRUE(three);
  three->respond("ok");
  ASSERT_TRUE(third->wait(1));
}

TEST_F(FrontTest, HttpConnectionsWithoutARequestMakeRoomForNewOnes) {
  settings.limits.connections = 3;
  start();
  FakeWorker& worker = add_worker();
  const auto open = [this] { return std::make_unique<ByteClient>(stage, socket_path(2)); };
  const auto connections = [this] { return bridge().scores().connections.load(); };
  const auto head = open();
  head->raw("GET / HTTP/1.1\r\n");
  until([&] { return connections() == 1; }, "the first connection");
  const auto older = open();
  until([&] { return connections() == 2; }, "the second");
  const auto later = open();
  until([&] { return connections() == 3; }, "the third");
  // The front server's connections are never closed for others.
  std::vector<std::unique_ptr<FrontClient>> fronts;
  std::vector<std::shared_ptr<WorkerRequest>> requests;
  for (ByteClient* const victim : {older.get(), later.get(), head.get()}) {
    EXPECT_FALSE(victim->closed());
    fronts.push_back(connect());
    fronts.back()->get(1, "/", true);
    requests.push_back(worker.next_request());
    ASSERT_TRUE(requests.back());
    until([&] { return victim->closed() || victim->failed(); }, "the connection closed");
  }
  const auto waits = open();
  waits->raw("GET /waits HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(bridge().wait_for_log("limits.connections reached: further connections wait"));
  requests[0]->respond("ok");
  ASSERT_TRUE(fronts[0]->wait(1));
  EXPECT_FALSE(worker.has_request());
  fronts[0]->close();
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->param("REQUEST_URI"), "/waits");
  request->respond("ok");
  ASSERT_TRUE(waits->wait_for("HTTP/1.1 200 "));
}

// They have their answer; what they still send is dropped.
TEST_F(FrontTest, HttpConnectionsThatLingerMakeRoomFirst) {
  settings.limits.connections = 2;
  start();
  FakeWorker& worker = add_worker();
  const ByteClient idle(stage, socket_path(2));
  until([&] { return bridge().scores().connections.load() == 1; }, "the first connection");
  // Unlike a ByteClient it stays when the bridge has closed its side.
  const UniqueFd lingers(connect_to(socket_path(2)));
  const std::string head = "OPTIONS * HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n";
  ASSERT_EQ(::send(lingers.get(), head.data(), head.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(head.size()));
  std::array<char, 1024> answer{};
  until([&] { return ::recv(lingers.get(), answer.data(), answer.size(), MSG_DONTWAIT) == 0; },
        "the end of the answer");
  const auto front = connect();
  front->get(1, "/", true);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  EXPECT_TRUE(bridge().wait_for_log("limits.connections reached: HTTP connections"));
  until([&] { return ::send(lingers.get(), "more", 4, MSG_NOSIGNAL | MSG_DONTWAIT) < 0; },
        "the connection closed");
  EXPECT_EQ(bridge().scores().connections.load(), 2);
  EXPECT_FALSE(idle.closed() || idle.failed());
  request->respond("ok");
  ASSERT_TRUE(front->wait(1));
}

// The new socket serves at once, and who waits at the one that it replaces is not forgotten.
TEST_F(FrontTest, WhoWaitsAtAReplacedSocketIsServedWhenThereIsRoom) {
  settings.limits.connections = 1;
  start();
  FakeWorker& worker = add_worker();
  auto first = connect();
  first->get(1, "/first", true);
  const auto one = worker.next_request();
  ASSERT_TRUE(one);
  const auto waiting = connect();
  waiting->get(1, "/waiting");
  EXPECT_TRUE(bridge().wait_for_log("limits.connections reached"));
  const std::string place = directory.file("replacement");
  struct stat former {};
  ASSERT_EQ(::fstat(listeners[0], &former), 0);
  ::close(std::exchange(listeners[0], listen_at(place)));
  channel::Message message;
  message.type = channel::Type::listener;
  message.count = 0;
  bridge().send(message, ::fcntl(listeners[0], F_DUPFD_CLOEXEC, 0));
  auto later = std::make_unique<FrontClient>(stage, place);
  one->respond("ok");
  ASSERT_TRUE(first->wait(1));
  first->close();
  const auto two = worker.next_request();
  ASSERT_TRUE(two);
  EXPECT_EQ(two->param("REQUEST_URI"), "/waiting");
  EXPECT_TRUE(has_open(former.st_ino)) << "somebody may be left";
  two->respond("ok");
  ASSERT_TRUE(waiting->wait(1));
  EXPECT_EQ(waiting->answer(1).status(), 200);
  // All have been accepted: it is closed.
  later.reset();
  until([&] { return !has_open(former.st_ino); }, "the former socket closed");
}

TEST_F(FrontTest, AMalformedChunkIsLoggedWithItsAnswer) {
  start();
  AccessLog log(bridge());
  add_worker();
  ByteClient client(stage, socket_path(2));
  client.raw("POST /chunk HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  ASSERT_TRUE(client.wait_for("HTTP/1.1 400 "));
  ASSERT_TRUE(client.wait_closed());
  const std::string line = log.read();
  EXPECT_NE(line.find("\"uri\":\"/chunk\""), std::string::npos) << line;
  EXPECT_NE(line.find("\"status\":400"), std::string::npos) << line;
}

TEST_F(FrontTest, AccessLogHasALineForEachRequest) {
  start();
  AccessLog log(bridge());
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/logged?x=1");
  worker.next_request()->respond("12345");
  ASSERT_TRUE(client->wait(1));
  ASSERT_TRUE(client->wait_closed());
  const std::string text = log.read();
  EXPECT_NE(text.find("\"uri\":\"/logged?x=1\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"status\":200"), std::string::npos) << text;
  EXPECT_NE(text.find("\"bytes\":5"), std::string::npos) << text;
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
