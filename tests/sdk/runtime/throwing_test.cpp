// What callbacks throw that handlers wait for: it reaches the handler, whatever its type, under
// both models, and nothing is lost with it.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmock/gmock.h>
#include <viaduct/async.hpp>
#include <viaduct/pool.hpp>

#include "tests/sdk/runtime/model_test.hpp"
#include "tests/sdk/support/thrown.hpp"

namespace viaduct::test {
namespace {

namespace asio = boost::asio;
using std::chrono::hours;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ThrowingTest : public ModelTest {
 protected:
  // A request of that handler's is answered 500, with one line that names what was thrown.
  void expect_logged(const Thrown& thrown, const Handler& handler) {
    app.get("/" + std::string(thrown.name), [&](Request& req, Response& res) {
      handler(req, res);
      ADD_FAILURE() << "not thrown";
    });
    const std::size_t before = lines().size();
    {
      const auto serving = serve();
      Peer peer(serving->address());
      EXPECT_EQ(peer.get("/" + std::string(thrown.name)).status(), 500);
    }
    const auto all = lines();
    ASSERT_GT(all.size(), before);
    EXPECT_THAT(std::vector<std::string>(all.begin() + static_cast<long>(before), all.end()),
                ElementsAre(AllOf(HasSubstr("GET /"), HasSubstr(thrown.words))));
  }
};

INSTANTIATE_TEST_SUITE_P(Models, ThrowingTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(ThrowingTest, BlockingWork) {
  for (const Thrown& thrown : kThrown) {
    expect_logged(thrown, [&](Request&, Response&) { blocking([&] { thrown.raise(); }); });
  }
}

TEST_P(ThrowingTest, TheMakerOfAPoolLeavesThePlaceFree) {
  for (const Thrown& thrown : kThrown) {
    bool broken = true;
    Pool<int> pool(1, [&] {
      if (broken) thrown.raise();
      return std::make_unique<int>(7);
    });
    expect_logged(thrown, [&](Request&, Response&) { (void)pool.acquire(); });
    broken = false;
    EXPECT_EQ(*pool.acquire(), 7);
  }
}

TEST_P(ThrowingTest, TheQuestionOfAPoolDropsTheObjectAndLeavesThePlaceFree) {
  for (const Thrown& thrown : kThrown) {
    int made = 0;
    bool broken = true;
    Pool<int> pool(
        1, [&] { return std::make_unique<int>(++made); },
        [&](int&) {
          if (broken) thrown.raise();
          return true;
        });
    (void)pool.acquire();
    expect_logged(thrown, [&](Request&, Response&) { (void)pool.acquire(); });
    broken = false;
    EXPECT_EQ(*pool.acquire(), 2);
  }
}

TEST_P(ThrowingTest, CoroutinesAsHandlers) {
  for (const Thrown& thrown : kThrown) {
    expect_logged(thrown, coroutine_handler([&](Request&, Response&) -> asio::awaitable<void> {
                    asio::steady_timer timer(co_await asio::this_coro::executor, milliseconds(1));
                    co_await timer.async_wait(asio::use_awaitable);
                    thrown.raise();
                  }));
  }
}

// The operation may refer to what the handler owns: it has ended when the handler unwinds.
TEST_P(ThrowingTest, FunctionsInTheWaitOfACoroutine) {
  for (const Thrown& thrown : kThrown) {
    bool ended = false;
    struct Notice {
      bool& seen;
      ~Notice() { seen = true; }
    };
    const auto wait = [&]() -> asio::awaitable<void> {
      const Notice notice{ended};
      const auto executor = co_await asio::this_coro::executor;
      asio::post(executor, [&] { thrown.raise(); });
      asio::steady_timer timer(executor, hours(1));
      co_await timer.async_wait(asio::use_awaitable);
    };
    expect_logged(thrown, [&](Request& req, Response&) {
      try {
        await(req, wait());
      } catch (...) {
        EXPECT_TRUE(ended);
        throw;
      }
    });
  }
}

TEST_P(ThrowingTest, TheSecondFunctionInAWaitIsLogged) {
  app.get("/", [](Request& req, Response& res) {
    const auto wait = []() -> asio::awaitable<void> {
      const auto executor = co_await asio::this_coro::executor;
      asio::post(executor, [] { throw http_error(418, "first"); });
      asio::post(executor, [] { throw 42; });
      asio::steady_timer timer(executor, hours(1));
      co_await timer.async_wait(asio::use_awaitable);
    };
    try {
      await(req, wait());
    } catch (const http_error& error) {
      res.send(error.what());
    }
  });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/").body(), "first");
  EXPECT_THAT(lines(), ElementsAre(HasSubstr("await(): an exception of type int")));
}

// An operation of the application's own, whose implementation throws: nothing will come of it.
TEST_P(ThrowingTest, OperationsThatUseWaitWaitsFor) {
  for (const Thrown& thrown : kThrown) {
    expect_logged(thrown, [&](Request&, Response&) {
      asio::async_initiate<const use_wait_t, void(int)>(
          [&](auto handler) {
            const auto where = asio::get_associated_executor(handler);
            asio::post(where, [&, handler = std::move(handler)]() mutable {
              thrown.raise();
              handler(7);
            });
          },
          use_wait);
    });
  }
}

TEST_P(ThrowingTest, OperationsThatDropTheirHandlerEndTheWait) {
  app.get("/", [](Request& req, Response&) {
    asio::async_initiate<const use_wait_t, void(int)>(
        [&](auto handler) {
          asio::post(executor(req), [handler = std::move(handler)]() mutable { (void)handler; });
        },
        use_wait);
  });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/").status(), 500);
  EXPECT_THAT(lines(), ElementsAre(HasSubstr("has dropped its completion handler")));
}

}  // namespace
}  // namespace viaduct::test
