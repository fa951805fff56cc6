#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <viaduct/channel.hpp>

#include "sdk/src/runtime/background.hpp"
#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

using std::chrono::milliseconds;

TEST(ChannelTest, ValuesComeOutInOrderAndAfterClose) {
  Channel<std::unique_ptr<int>> channel(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(channel.push(std::make_unique<int>(i)));
  EXPECT_FALSE(channel.try_push(std::make_unique<int>(3)));
  channel.close();
  EXPECT_FALSE(channel.push(std::make_unique<int>(3)));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(**channel.pop(), i);
  EXPECT_FALSE(channel.pop());
  EXPECT_FALSE(channel.try_pop());
  channel.close();
}

TEST(ChannelTest, CapacityIsAtLeastOne) {
  EXPECT_THROW(Channel<int>(0), std::invalid_argument);
  Channel<int> channel(1);
  EXPECT_TRUE(channel.try_push(1));
  EXPECT_FALSE(channel.try_push(2));
  EXPECT_EQ(channel.try_pop(), 1);
  EXPECT_EQ(channel.try_pop(), std::nullopt);
  EXPECT_TRUE(channel.try_push(3));
}

TEST(ChannelTest, ManyThreadsMoveEveryValueOnce) {
  constexpr int kEach = 2000;
  Channel<int> channel(3);
  std::vector<std::atomic<int>> seen(4 * kEach);
  std::vector<std::jthread> consumers;
  for (int i = 0; i < 4; ++i) {
    consumers.emplace_back([&] {
      while (const auto value = channel.pop()) ++seen[static_cast<std::size_t>(*value)];
    });
  }
  {
    std::vector<std::jthread> producers;
    for (int i = 0; i < 4; ++i) {
      producers.emplace_back([&channel, i] {
        for (int n = 0; n < kEach; ++n) EXPECT_TRUE(channel.push(i * kEach + n));
      });
    }
  }
  channel.close();
  consumers.clear();
  for (const auto& count : seen) EXPECT_EQ(count, 1);
}

TEST(ChannelTest, CloseWakesPushersAndPoppers) {
  Channel<int> full(1);
  Channel<int> empty(1);
  EXPECT_TRUE(full.push(1));
  std::jthread pusher([&] { EXPECT_FALSE(full.push(2)); });
  std::jthread popper([&] { EXPECT_EQ(empty.pop(), std::nullopt); });
  full.close();
  empty.close();
  pusher.join();
  popper.join();
  EXPECT_EQ(full.pop(), 1);
  EXPECT_EQ(full.pop(), std::nullopt);
}

TEST(ChannelTest, TokenOfABackgroundTaskEndsItsWait) {
  Channel<int> channel(1);
  Flag waiting;
  std::atomic<bool> ended{false};
  const std::vector<std::function<void(std::stop_token)>> tasks{[&](const std::stop_token&) {
    EXPECT_EQ(channel.pop(), 1);
    waiting.set();
    EXPECT_THROW(channel.pop(), client_gone);
    EXPECT_TRUE(channel.try_push(2));
    EXPECT_EQ(channel.pop(), 2);
    ended = true;
    channel.pop();
  }};
  {
    const detail::Background background(tasks);
    EXPECT_TRUE(channel.push(1));
    ASSERT_TRUE(waiting.wait());
  }
  EXPECT_TRUE(ended);
}

using ChannelModelTest = ModelTest;
INSTANTIATE_TEST_SUITE_P(Models, ChannelModelTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(ChannelModelTest, HandlersThreadsAndBackgroundMeet) {
  Channel<int> questions(1);
  Channel<int> answers(1);
  const std::vector<std::function<void(std::stop_token)>> tasks{[&](const std::stop_token&) {
    while (const auto value = questions.pop()) EXPECT_TRUE(answers.push(*value * 2));
  }};
  app.get("/{n:int}", [&](Request& req, Response& res) {
    EXPECT_TRUE(questions.push(req.arg<int>("n")));
    res.send(std::to_string(*answers.pop()));
  });
  const detail::Background background(tasks);
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  constexpr protocol::RequestId kCount = 40;
  for (protocol::RequestId id = 1; id <= kCount; ++id) {
    peer.begin(id, "GET", "/" + std::to_string(id));
    peer.input_end(id);
  }
  ASSERT_TRUE(peer.wait([&] { return peer.ended().size() == kCount; }));
  unsigned sum = 0;
  for (protocol::RequestId id = 1; id <= kCount; ++id) {
    sum += static_cast<unsigned>(std::stoul(std::string(peer.reply(id).body())));
  }
  EXPECT_EQ(sum, 2U * kCount * (kCount + 1) / 2);
}

// A handler that waits leaves its loop, or its share of a batch, to the one that it waits for.
TEST_P(ChannelModelTest, HandlerWaitsForAnotherOfItsBatch) {
  Channel<std::string> channel(1);
  app.get("/pop", [&](Request&, Response& res) { res.send(channel.pop().value_or("closed")); });
  app.get("/push", [&](Request&, Response& res) {
    EXPECT_TRUE(channel.push("pushed"));
    res.send("ok");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  const char* const paths[] = {"/pop", "/pop", "/push", "/push"};
  for (protocol::RequestId id = 1; id <= 4; ++id) {
    peer.begin(id, "GET", paths[id - 1]);
    peer.input_end(id);
  }
  ASSERT_TRUE(peer.wait([&] { return peer.ended().size() == 4; }));
  EXPECT_EQ(peer.reply(1).body(), "pushed");
  EXPECT_EQ(peer.reply(2).body(), "pushed");
}

TEST_P(ChannelModelTest, AbortEndsTheWaitOfPushAndPop) {
  Channel<int> empty(1);
  Channel<int> full(1);
  ASSERT_TRUE(full.push(1));
  std::atomic<int> started{0};
  std::atomic<int> gone{0};
  const auto counted = [&](const std::function<void()>& wait) {
    ++started;
    try {
      wait();
      ADD_FAILURE() << "not stopped";
    } catch (const client_gone&) {
      ++gone;
      throw;
    }
  };
  app.get("/pop", [&](Request&, Response&) { counted([&] { empty.pop(); }); });
  app.get("/push", [&](Request&, Response&) { counted([&] { full.push(2); }); });
  app.get("/ping", [](Request&, Response& res) { res.send("pong"); });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  peer.begin(1, "GET", "/pop");
  peer.input_end(1);
  peer.begin(2, "GET", "/push");
  peer.input_end(2);
  while (started < 2) EXPECT_TRUE(peer.get("/ping").ended);
  peer.abort(1);
  peer.abort(2);
  ASSERT_TRUE(peer.wait([&] { return peer.reply(1).ended && peer.reply(2).ended; }));
  EXPECT_EQ(gone, 2);
  EXPECT_EQ(full.pop(), 1);
  EXPECT_EQ(full.try_pop(), std::nullopt);
  EXPECT_TRUE(lines().empty());
}

TEST_P(ChannelModelTest, DeadlineOfAWaitingHandlerIsAnswered504) {
  Channel<int> empty(1);
  app.get("/", [&](Request&, Response&) { empty.pop(); });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/", {{"VIADUCT_DEADLINE_MS", "30"}}).status(), 504);
}

TEST_P(ChannelModelTest, SpentDrainTimeEndsWaits) {
  Channel<int> empty(1);
  Flag started;
  app.get("/", [&](Request&, Response&) {
    started.set();
    empty.pop();
  });
  const auto serving = serve(8, milliseconds(50));
  Peer peer(serving->address());
  peer.begin(1, "GET", "/");
  peer.input_end(1);
  peer.flush();
  ASSERT_TRUE(started.wait());
  serving->drain();
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).status(), 503);
}

}  // namespace
}  // namespace viaduct::test
