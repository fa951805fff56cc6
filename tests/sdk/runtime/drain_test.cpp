#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

using DrainTest = ModelTest;
INSTANTIATE_TEST_SUITE_P(Models, DrainTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(DrainTest, ReturnsAtOnceWithoutConnections) {
  const auto serving = serve();
  serving->drain();
  EXPECT_TRUE(serving->returns(seconds(10)));
}

TEST_P(DrainTest, ClosesIdleConnections) {
  app.get("/", [](Request&, Response& res) { res.send("ok"); });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/").body(), "ok");
  serving->drain();
  EXPECT_TRUE(peer.wait([&] { return peer.closed(); }));
  EXPECT_TRUE(serving->returns(seconds(10)));
}

TEST_P(DrainTest, FinishesRequestsInFlight) {
  Flag started;
  app.get("/", [&](Request& req, Response& res) {
    started.set();
    while (!req.draining()) sleep_for(milliseconds(1));
    EXPECT_FALSE(req.stop().stop_requested());
    res.send("finished");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.begin(1, "GET", "/");
  peer.input_end(1);
  peer.flush();
  ASSERT_TRUE(started.wait());
  serving->drain();
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).body(), "finished");
  EXPECT_TRUE(peer.wait([&] { return peer.closed(); }));
  EXPECT_TRUE(serving->returns(seconds(10)));
}

TEST_P(DrainTest, StopsWhatOutlastsTheTimeToDrain) {
  Flag started;
  app.post("/", [&](Request& req, Response&) {
    started.set();
    (void)req.body().text();  // whose end never comes
  });
  const auto serving = serve(8, milliseconds(50));
  Peer peer(serving->address());
  peer.begin(1, "POST", "/");
  peer.flush();
  ASSERT_TRUE(started.wait());
  serving->drain();
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).status(), 503);
  EXPECT_TRUE(serving->returns(seconds(10)));
}

// Connects and disconnects, from several threads, faster than anybody accepts.
class Hammer {
 public:
  explicit Hammer(const std::string& address) {
    for (int i = 0; i < 3; ++i) {
      threads_.emplace_back([this, name = address.substr(std::strlen("unix:@"))] {
        while (!stopped_ && connect(name)) ++connections_;
      });
    }
  }
  Hammer(const Hammer&) = delete;
  Hammer& operator=(const Hammer&) = delete;
  ~Hammer() {
    stopped_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  [[nodiscard]] unsigned connections() const { return connections_; }

 private:
  static bool connect(const std::string& name) {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    const int result = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), size);
    const bool refused = result != 0 && errno == ECONNREFUSED;
    ::close(socket);
    return !refused;
  }

  std::atomic<bool> stopped_ = false;
  std::atomic<unsigned> connections_ = 0;
  std::vector<std::thread> threads_;
};

TEST_P(DrainTest, EndsHoweverFastOthersConnect) {
  const auto serving = serve();
  const Hammer hammer(serving->address());
  while (hammer.connections() < 100) std::this_thread::yield();
  serving->drain();
  EXPECT_TRUE(serving->returns(seconds(60)));
}

}  // namespace
}  // namespace viaduct::test
