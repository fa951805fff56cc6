#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <viaduct/pool.hpp>

#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

struct Handle {
  explicit Handle(int made) : number(made) {}
  int number;
  bool broken = false;
};

TEST(PoolTest, MakesWhenNeededAndLendsAgain) {
  int made = 0;
  Pool<Handle> pool(2, [&] { return std::make_unique<Handle>(++made); });
  EXPECT_EQ(made, 0);
  {
    const auto first = pool.acquire();
    EXPECT_EQ(first->number, 1);
    const auto second = pool.acquire();
    EXPECT_EQ(second->number, 2);
  }
  EXPECT_EQ(pool.acquire()->number, 1);
  EXPECT_EQ(made, 2);
}

TEST(PoolTest, UnusableObjectsAreReplaced) {
  int made = 0;
  Pool<Handle> pool(
      1, [&] { return std::make_unique<Handle>(++made); },
      [](Handle& handle) { return !handle.broken; });
  pool.acquire()->broken = true;
  EXPECT_EQ(pool.acquire()->number, 2);
  EXPECT_EQ(pool.acquire()->number, 2);
}

TEST(PoolTest, FailureToMakeLeavesThePlaceFree) {
  int calls = 0;
  Pool<Handle> pool(1, [&]() -> std::unique_ptr<Handle> {
    if (++calls == 1) throw std::runtime_error("no database");
    if (calls == 2) return nullptr;
    return std::make_unique<Handle>(calls);
  });
  EXPECT_THROW(pool.acquire(), std::runtime_error);
  EXPECT_THROW(pool.acquire(), std::logic_error);
  EXPECT_EQ(pool.acquire()->number, 3);
  EXPECT_THROW(Pool<Handle>(0, nullptr), std::invalid_argument);
}

TEST(PoolTest, ObjectsMayOutliveThePool) {
  std::shared_ptr<std::string> kept;
  {
    Pool<std::string> pool(1, [] { return std::make_unique<std::string>("kept"); });
    kept = pool.acquire();
  }
  EXPECT_EQ(*kept, "kept");
}

using PoolModelTest = ModelTest;
INSTANTIATE_TEST_SUITE_P(Models, PoolModelTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(PoolModelTest, HandlersShareItsObjects) {
  std::atomic<int> made{0};
  std::atomic<int> lent{0};
  std::atomic<int> most{0};
  Pool<Handle> pool(2, [&] { return std::make_unique<Handle>(++made); });
  app.get("/", [&](Request&, Response& res) {
    const auto handle = pool.acquire();
    most = std::max<int>(most, ++lent);
    sleep_for(std::chrono::milliseconds(1));
    --lent;
    res.send("ok");
  });
  const auto serving = serve(fibers() ? 100 : 8);
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  constexpr protocol::RequestId kCount = 50;
  for (protocol::RequestId id = 1; id <= kCount; ++id) {
    peer.begin(id, "GET", "/");
    peer.input_end(id);
  }
  ASSERT_TRUE(peer.wait([&] { return peer.ended().size() == kCount; }));
  EXPECT_EQ(made, 2);
  EXPECT_EQ(most, 2);
}

TEST_P(PoolModelTest, AbortEndsTheWaitForAnObject) {
  Pool<Handle> pool(1, [] { return std::make_unique<Handle>(1); });
  const auto held = pool.acquire();
  Flag started;
  Flag gone;
  app.get("/", [&](Request&, Response&) {
    started.set();
    try {
      (void)pool.acquire();
    } catch (const client_gone&) {
      gone.set();
      throw;
    }
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  peer.begin(1, "GET", "/");
  peer.input_end(1);
  peer.flush();
  ASSERT_TRUE(started.wait());
  peer.abort(1);
  EXPECT_TRUE(peer.wait_end(1));
  EXPECT_TRUE(gone.is_set());
}

// With fibers, while one object is being made the others are lent.
TEST_P(PoolModelTest, MakingBlocksNobodyElse) {
  Flag release;
  std::atomic<int> made{0};
  Pool<Handle> pool(2, [&] {
    if (++made == 1) {
      EXPECT_TRUE(release.wait());
    }
    return std::make_unique<Handle>(made);
  });
  app.get("/", [&](Request&, Response& res) {
    const auto handle = pool.acquire();
    res.send("ok");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  for (protocol::RequestId id = 1; id <= 4; ++id) {
    peer.begin(id, "GET", "/");
    peer.input_end(id);
  }
  EXPECT_TRUE(peer.wait([&] { return peer.ended().size() == 3; }));
  release.set();
  EXPECT_TRUE(peer.wait([&] { return peer.ended().size() == 4; }));
}

}  // namespace
}  // namespace viaduct::test
