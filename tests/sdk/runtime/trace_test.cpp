// What handlers are doing, told to a peer that asks.
#include <atomic>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>

#include "sdk/src/runtime/fiber_sanitizers.hpp"
#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::atomic<int> computing{0};
std::atomic<bool> compute_on{false};
Channel<int>* gate = nullptr;

__attribute__((noinline)) void compute_digits(Request&, Response& res) {
  ++computing;
  while (compute_on) continue;
  res.send("done");
}

__attribute__((noinline)) void wait_at_gate(Request&, Response& res) {
  const auto passed = gate->pop();
  res.send(passed ? std::to_string(*passed) : "closed");
}

// Ends what compute_digits() does, before the server of the test is destroyed.
struct ComputeNoMore {
  ~ComputeNoMore() { compute_on = false; }
};

class TraceTest : public ModelTest {
 protected:
  // A trace that holds `text`, asked for until it does: the handler may not be there yet.
  static ::testing::AssertionResult traced(Peer& peer, Peer::RequestId id,
                                           const std::string& text) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::string last;
    while (std::chrono::steady_clock::now() < until) {
      last = trace(peer, id);
      if (last.find(text) != std::string::npos) return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << "last trace: " << last;
  }
  static std::string trace(Peer& peer, Peer::RequestId id) {
    const std::size_t before = peer.reply(id).traces.size();
    peer.ask_trace(id);
    if (!peer.wait([&] { return peer.reply(id).traces.size() > before; })) return "no answer";
    return peer.reply(id).traces.back();
  }
  // A trace that has frames: a loaded machine may not run the thread in time to note them.
  static std::string noted_trace(Peer& peer, Peer::RequestId id) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::string text;
    while (text.empty() && std::chrono::steady_clock::now() < until) text = trace(peer, id);
    return text;
  }
  static void begin(Peer& peer, Peer::RequestId id, std::string_view path) {
    peer.begin(id, "GET", path);
    peer.input_end(id);
    peer.flush();
  }
};

INSTANTIATE_TEST_SUITE_P(Models, TraceTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(TraceTest, NamesHandlersThatComputeAllOfThem) {
#ifdef VIADUCT_TSAN
  GTEST_SKIP() << "ThreadSanitizer delivers signals when the thread waits";
#endif
  app.get("/", &compute_digits);
  // A fiber that computes is the only one that runs.
  const int count = fibers() ? 1 : 2;
  computing = 0;
  compute_on = true;
  const auto serving = serve(2);
  Peer peer(serving->address());
  const ComputeNoMore at_the_end;
  peer.agree(256 * 1024);
  for (int id = 1; id <= count; ++id) begin(peer, static_cast<Peer::RequestId>(id), "/");
  while (computing < count) std::this_thread::yield();
  for (int round = 0; round < 20; ++round) {
    for (int id = 1; id <= count; ++id) {
      const std::string text = noted_trace(peer, static_cast<Peer::RequestId>(id));
      ASSERT_THAT(text, AllOf(HasSubstr("compute_digits("), HasSubstr(" at trace_test.cpp:"),
                              Not(HasSubstr("Executor")), Not(HasSubstr("StackProbe"))));
    }
  }
  compute_on = false;
  for (int id = 1; id <= count; ++id) EXPECT_TRUE(peer.wait_end(static_cast<Peer::RequestId>(id)));
}

TEST_P(TraceTest, NamesHandlersThatWait) {
  Channel<int> channel(1);
  gate = &channel;
  app.get("/gate", &wait_at_gate);
  app.post("/body", [](Request& req, Response& res) { res.send(req.body().text()); });
  app.get("/sleep", [](Request&, Response& res) {
    sleep_for(std::chrono::hours(1));
    res.send("woken");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  begin(peer, 1, "/gate");
  EXPECT_TRUE(traced(peer, 1, "wait_at_gate("));
  peer.begin(2, "POST", "/body", {{"CONTENT_LENGTH", "2"}});
  peer.flush();
  EXPECT_TRUE(traced(peer, 2, "NamesHandlersThatWait"));
  EXPECT_TRUE(traced(peer, 2, "Exchange::read"));
  begin(peer, 3, "/sleep");
  EXPECT_TRUE(traced(peer, 3, "sleep_for("));
  peer.abort(3);
  peer.flush();
  EXPECT_TRUE(peer.wait_end(3));
  channel.push(7);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).body(), "7");
  peer.input(2, "ab");
  peer.input_end(2);
  ASSERT_TRUE(peer.wait_end(2));
  EXPECT_EQ(peer.reply(2).body(), "ab");
}

TEST_P(TraceTest, LeavesWhatIsTracedAsItWas) {
  Channel<int> channel(1);
  gate = &channel;
  app.get("/", [](Request&, Response& res) {
    std::string seen;
    try {
      throw std::runtime_error("outer");
    } catch (const std::exception&) {
      try {
        throw std::runtime_error("inner");
      } catch (const std::exception&) {
        gate->pop();
        try {
          throw;
        } catch (const std::exception& error) {
          seen = error.what();
        }
      }
      try {
        throw;
      } catch (const std::exception& error) {
        seen += std::string(" ") + error.what();
      }
    }
    res.send(seen);
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  begin(peer, 1, "/");
  ASSERT_TRUE(traced(peer, 1, "LeavesWhatIsTracedAsItWas"));
  for (int i = 0; i < 300; ++i) {
    const std::string text = trace(peer, 1);
    ASSERT_THAT(text, HasSubstr("LeavesWhatIsTracedAsItWas"));
  }
  channel.push(1);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).body(), "inner outer");
}

TEST_P(TraceTest, QueriesThatFindNoHandler) {
  Channel<int> channel(1);
  gate = &channel;
  app.get("/gate", &wait_at_gate);
  const auto serving = serve(1);
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  peer.ask_trace(9);
  begin(peer, 1, "/gate");
  begin(peer, 2, "/gate");
  EXPECT_TRUE(traced(peer, 1, "wait_at_gate("));
  EXPECT_EQ(trace(peer, 2), "(waiting for a handler that is free)\n");
  channel.push(1);
  ASSERT_TRUE(peer.wait_end(1));
  channel.push(2);
  ASSERT_TRUE(peer.wait_end(2));
  peer.ask_trace(1);
  const std::uint32_t before = peer.values_received();
  peer.ask_values();
  EXPECT_TRUE(peer.wait([&] { return peer.values_received() > before; }));
  EXPECT_TRUE(peer.reply(9).traces.empty());
}

TEST_P(TraceTest, MoreQueriesThanMayWaitAreAnsweredAtOnce) {
  Channel<int> channel(1);
  gate = &channel;
  app.get("/gate", &wait_at_gate);
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  begin(peer, 1, "/gate");
  ASSERT_TRUE(traced(peer, 1, "wait_at_gate("));
  const std::size_t before = peer.reply(1).traces.size();
  for (int i = 0; i < 300; ++i) peer.ask_trace(1);
  EXPECT_TRUE(peer.wait([&] { return peer.reply(1).traces.size() == before + 300; }));
  channel.push(1);
  EXPECT_TRUE(peer.wait_end(1));
}

}  // namespace
}  // namespace viaduct::test
