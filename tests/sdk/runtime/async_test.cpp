#include <array>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <viaduct/async.hpp>

#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

namespace asio = boost::asio;
using asio::use_awaitable;
using asio::ip::tcp;
using std::chrono::hours;
using std::chrono::milliseconds;

// Answers each line with itself and closes; a line "wait" it leaves unanswered.
class EchoServer {
 public:
  EchoServer() : thread_([this] { context_.run(); }) {}
  ~EchoServer() {
    context_.stop();
    thread_.join();
  }
  [[nodiscard]] tcp::endpoint endpoint() const { return endpoint_; }

 private:
  asio::awaitable<void> serve(tcp::socket socket) {
    asio::streambuf buffer;
    const std::size_t size = co_await asio::async_read_until(socket, buffer, '\n', use_awaitable);
    const std::string line(asio::buffers_begin(buffer.data()),
                           asio::buffers_begin(buffer.data()) + static_cast<long>(size));
    if (line == "wait\n") {
      asio::steady_timer timer(co_await asio::this_coro::executor, hours(1));
      co_await timer.async_wait(use_awaitable);
    }
    co_await asio::async_write(socket, asio::buffer(line), use_awaitable);
  }
  asio::awaitable<void> accept() {
    while (true) {
      tcp::socket socket = co_await acceptor_.async_accept(use_awaitable);
      asio::co_spawn(context_, serve(std::move(socket)), asio::detached);
    }
  }

  asio::io_context context_;
  tcp::acceptor acceptor_{context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  const tcp::endpoint endpoint_ = acceptor_.local_endpoint();
  const bool accepting_ = [this] {
    asio::co_spawn(context_, accept(), asio::detached);
    return true;
  }();
  std::thread thread_;
};

asio::awaitable<std::string> echo(tcp::endpoint server, std::string line) {
  tcp::socket socket(co_await asio::this_coro::executor);
  co_await socket.async_connect(server, use_awaitable);
  co_await asio::async_write(socket, asio::buffer(line), use_awaitable);
  std::string answer(line.size(), '\0');
  co_await asio::async_read(socket, asio::buffer(answer), use_awaitable);
  co_return answer;
}

asio::awaitable<void> nap(milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(use_awaitable);
}

using AsyncTest = ModelTest;
INSTANTIATE_TEST_SUITE_P(Models, AsyncTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(AsyncTest, AwaitReturnsTheValueOfATcpClient) {
  const EchoServer server;
  app.get("/", [&](Request& req, Response& res) {
    const auto thread = std::this_thread::get_id();
    res.send(await(req, echo(server.endpoint(), "hello\n")));
    EXPECT_EQ(std::this_thread::get_id(), thread);
  });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/").body(), "hello\n");
}

TEST_P(AsyncTest, CoroutinesRunWhereTheirHandlerRuns) {
  app.get("/", [](Request&, Response& res) -> asio::awaitable<void> {
    const auto thread = std::this_thread::get_id();
    asio::steady_timer timer(co_await asio::this_coro::executor, milliseconds(2));
    co_await timer.async_wait(use_awaitable);
    EXPECT_EQ(std::this_thread::get_id(), thread);
    log(Level::info, "in the coroutine");
    // Larger than the window: it waits for the peer inside the coroutine.
    res.write(std::string(1 << 20, 'x'));
    co_await nap(milliseconds(1));
    res.write("end");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(64 * 1024);
  const auto reply = peer.get("/", {{"REQUEST_ID", "abc"}});
  EXPECT_EQ(reply.body().size(), (1U << 20) + 3);
  EXPECT_EQ(lines(), std::vector<std::string>{"[abc] in the coroutine"});
}

TEST_P(AsyncTest, AllMembersOfARouterTakeCoroutines) {
  const auto coroutine = [](Request& req, Response& res) -> asio::awaitable<void> {
    co_await nap(milliseconds(1));
    res.send(req.method());
  };
  app.get("/", coroutine).post("/", coroutine).put("/", coroutine).patch("/", coroutine);
  app.del("/", coroutine).route("QUERY", "/", coroutine);
  const auto serving = serve();
  Peer peer(serving->address());
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE", "QUERY"}) {
    EXPECT_EQ(peer.request(method, "/", "").body(), method);
  }
}

TEST_P(AsyncTest, ExceptionsOfACoroutineBecomeAnswers) {
  app.get("/", [](Request&, Response&) -> asio::awaitable<void> {
    co_await nap(milliseconds(1));
    throw http_error(418, "teapot");
  });
  app.get("/refused", [](Request& req, Response& res) {
    try {
      await(req, echo(tcp::endpoint(asio::ip::address_v4::loopback(), 1), "x\n"));
    } catch (const boost::system::system_error& error) {
      res.send(error.code() == asio::error::connection_refused ? "refused" : error.what());
    }
  });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/").status(), 418);
  EXPECT_EQ(peer.get("/refused").body(), "refused");
}

TEST_P(AsyncTest, UseWaitWaitsForTimersAndSockets) {
  const EchoServer server;
  app.get("/", [&](Request& req, Response& res) {
    asio::steady_timer timer(executor(req), milliseconds(1));
    timer.async_wait(use_wait);
    tcp::socket socket(executor(req));
    socket.async_connect(server.endpoint(), use_wait);
    const std::size_t sent = asio::async_write(socket, asio::buffer("line\n", 5), use_wait);
    EXPECT_EQ(sent, 5U);
    std::string answer(5, '\0');
    EXPECT_EQ(asio::async_read(socket, asio::buffer(answer), use_wait), 5U);
    try {
      asio::async_read(socket, asio::buffer(answer), use_wait);
      ADD_FAILURE() << "read beyond the end";
    } catch (const boost::system::system_error& error) {
      EXPECT_EQ(error.code(), asio::error::eof);
    }
    res.send("line\n");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/").body(), "line\n");
}

TEST_P(AsyncTest, ManyHandlersAwaitAtOnce) {
  const EchoServer server;
  app.get("/{n}", [&](Request& req, Response& res) {
    await(req, nap(milliseconds(5)));
    res.send(await(req, echo(server.endpoint(), req.arg<std::string>("n") + '\n')));
  });
  const auto serving = serve(fibers() ? 100 : 8);
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  constexpr protocol::RequestId kCount = 60;
  for (protocol::RequestId id = 1; id <= kCount; ++id) {
    peer.begin(id, "GET", "/" + std::to_string(id));
    peer.input_end(id);
  }
  ASSERT_TRUE(peer.wait([&] { return peer.ended().size() == kCount; }));
  for (protocol::RequestId id = 1; id <= kCount; ++id) {
    EXPECT_EQ(peer.reply(id).body(), std::to_string(id) + '\n');
  }
}

TEST_P(AsyncTest, BranchesOfACoroutineRaceInItsHandler) {
  app.get("/", [](Request& req, Response& res) {
    using namespace asio::experimental::awaitable_operators;
    const auto first = await(req, nap(hours(1)) || nap(milliseconds(1)));
    res.send(std::to_string(first.index()));
  });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/").body(), "1");
}

TEST_P(AsyncTest, AbortCancelsWhatIsAwaited) {
  const EchoServer server;
  std::atomic<int> started{0};
  std::atomic<int> gone{0};
  std::atomic<int> unwound{0};
  struct Unwinds {
    std::atomic<int>& count;
    ~Unwinds() { ++count; }
  };
  const auto expect_gone = [&](const std::function<void()>& wait) {
    ++started;
    try {
      wait();
      ADD_FAILURE() << "not cancelled";
    } catch (const client_gone&) {
      ++gone;
      throw;
    }
  };
  app.get("/await", [&](Request& req, Response&) {
    expect_gone([&] { (void)await(req, echo(server.endpoint(), "wait\n")); });
  });
  app.get("/token", [&](Request& req, Response&) {
    asio::steady_timer timer(executor(req), hours(1));
    expect_gone([&] { timer.async_wait(use_wait); });
  });
  app.get("/coroutine", [&](Request&, Response&) -> asio::awaitable<void> {
    const Unwinds unwinds{unwound};
    ++started;
    co_await nap(hours(1));
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  const char* const paths[] = {"/await", "/token", "/coroutine"};
  for (protocol::RequestId id = 1; id <= 3; ++id) {
    peer.begin(id, "GET", paths[id - 1]);
    peer.input_end(id);
  }
  peer.flush();
  while (started < 3) std::this_thread::yield();
  for (protocol::RequestId id = 1; id <= 3; ++id) peer.abort(id);
  ASSERT_TRUE(peer.wait([&] { return peer.ended().size() == 3; }));
  EXPECT_EQ(gone, 2);
  EXPECT_EQ(unwound, 1);
  EXPECT_TRUE(lines().empty());
}

TEST_P(AsyncTest, WaitsOfACoroutineEndWithItsDeadline) {
  app.get("/", [](Request&, Response&) -> asio::awaitable<void> {
    while (true) co_await nap(milliseconds(1));
  });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/", {{"VIADUCT_DEADLINE_MS", "50"}}).status(), 504);
}

// Left behind, it finds nobody to run it.
TEST_P(AsyncTest, SpawnedCoroutineIsDroppedWithItsHandler) {
  struct Progress {
    std::atomic<bool> handler_goes_on{false};
    std::atomic<bool> ran_after_that{false};
  } progress;
  app.get("/", [&](Request& req, Response& res) {
    await(req, [](Progress& seen) -> asio::awaitable<void> {
      const auto left_behind = [](Progress& mine) -> asio::awaitable<void> {
        while (!mine.handler_goes_on) co_await nap(milliseconds(1));
        mine.ran_after_that = true;
      };
      asio::co_spawn(co_await asio::this_coro::executor, left_behind(seen), asio::detached);
      co_await nap(milliseconds(1));
    }(progress));
    progress.handler_goes_on = true;
    await(req, nap(milliseconds(60)));
    res.send("ok");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/").body(), "ok");
  EXPECT_FALSE(progress.ran_after_that);
}

TEST(AsyncThreadTest, UseWaitWorksOutsideOfHandlers) {
  asio::io_context context;
  const auto work = asio::make_work_guard(context);
  std::jthread thread([&] { context.run(); });
  asio::steady_timer timer(context, milliseconds(1));
  timer.async_wait(use_wait);
  const auto [bytes, text] = asio::async_initiate<const use_wait_t, void(int, std::string)>(
      [](auto handler) {
        const auto where = asio::get_associated_executor(handler);
        asio::post(where,
                   [handler = std::move(handler)]() mutable { handler(7, std::string("seven")); });
      },
      use_wait);
  EXPECT_EQ(bytes, 7);
  EXPECT_EQ(text, "seven");
  context.stop();
}

TEST_P(AsyncTest, WhatIsPostedToTheExecutorMayThrow) {
  app.get("/", [](Request& req, Response& res) {
    asio::post(executor(req), [] { throw 42; });
    asio::post(executor(req), [] { throw std::runtime_error("boom"); });
    asio::steady_timer timer(executor(req), milliseconds(1));
    timer.async_wait(use_wait);
    res.send("still there");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/").body(), "still there");
  EXPECT_EQ(lines(), (std::vector<std::string>{"executor(): an exception of type int",
                                               "executor(): boom (std::runtime_error)"}));
}

}  // namespace
}  // namespace viaduct::test
