#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <viaduct/event_stream.hpp>

#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr milliseconds kHeartbeat{100};
constexpr std::string_view kHeartbeats = ":\n\n:\n\n:\n\n";

class EventStreamTest : public ModelTest {
 protected:
  bool wait_for(Peer& peer, std::string_view text) {
    return peer.wait([&] { return peer.reply(1).output.find(text) != std::string::npos; });
  }
  static void begin(Peer& peer, std::string_view path, const Peer::Variables& more = {}) {
    peer.agree(256 * 1024);
    peer.begin(1, "GET", path, more);
    peer.input_end(1);
  }
  static void begin_another(Peer& peer, Peer::RequestId id, std::string_view path) {
    peer.begin(id, "GET", path);
    peer.input_end(id);
    peer.flush();
  }
  // Its heartbeats show that those of streams that began before it would have come as well.
  static void beat_until_stopped(Request& req, Response& res) {
    EventStream events(req, res, kHeartbeat);
    sleep_for(std::chrono::hours(1));
  }
  // Ended as a complete response is: a broken one closes the connection instead.
  static bool ends_cleanly(Peer& peer) { return peer.wait_end(1) && !peer.closed(); }
};
INSTANTIATE_TEST_SUITE_P(Models, EventStreamTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(EventStreamTest, HeadKeepsProxiesFromBuffering) {
  app.get("/",
          [](Request& req, Response& res) { EventStream(req, res).send("a\nb", "tick", "7"); });
  app.get("/own", [](Request& req, Response& res) {
    res.headers().set("Cache-Control", "no-store");
    EventStream(req, res).retry(milliseconds(250));
  });
  const auto serving = serve();
  Peer peer(serving->address());
  const auto reply = peer.get("/");
  EXPECT_EQ(reply.head(),
            "Status: 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\n"
            "Cache-Control: no-cache");
  EXPECT_EQ(reply.body(), "event: tick\nid: 7\ndata: a\ndata: b\n\n");
  const auto own = peer.get("/own");
  EXPECT_THAT(std::string(own.head()), HasSubstr("Cache-Control: no-store"));
  EXPECT_EQ(own.body(), "retry: 250\n\n");
}

TEST_P(EventStreamTest, AStatusWithoutContentIsNoStream) {
  app.get("/{status:int}", [](Request& req, Response& res) {
    res.status(req.arg<int>("status"));
    EventStream events(req, res, kHeartbeat);
    ADD_FAILURE() << "there is nothing to stream";
  });
  const auto serving = serve();
  Peer peer(serving->address());
  for (const int status : {204, 205, 304}) {
    const auto reply = peer.get('/' + std::to_string(status));
    EXPECT_EQ(reply.status(), status);
    EXPECT_EQ(reply.body(), "");
  }
}

TEST_P(EventStreamTest, EventsArriveWhileTheHandlerRuns) {
  Channel<std::string> channel(4);
  app.get("/", [&](Request& req, Response& res) {
    EventStream events(req, res);
    while (const auto text = channel.pop()) events.send(*text);
  });
  const auto serving = serve();
  Peer peer(serving->address());
  begin(peer, "/");
  ASSERT_TRUE(wait_for(peer, "\r\n\r\n")) << "the head goes out before the first event";
  channel.push("one");
  ASSERT_TRUE(wait_for(peer, "data: one\n\n"));
  channel.push("two");
  ASSERT_TRUE(wait_for(peer, "data: two\n\n"));
  channel.close();
  EXPECT_TRUE(ends_cleanly(peer));
}

TEST_P(EventStreamTest, ResumesBehindTheLastEvent) {
  app.get("/", [](Request& req, Response& res) {
    EventStream events(req, res);
    events.send("after " + std::string(events.last_event_id()));
  });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/", {{"HTTP_LAST_EVENT_ID", "41"}}).body(), "data: after 41\n\n");
  EXPECT_EQ(peer.get("/").body(), "data: after \n\n");
}

TEST_P(EventStreamTest, HeartbeatsGoOutWhileTheHandlerWaitsForSomethingElse) {
  Channel<int> channel(2);
  app.get("/", [&](Request& req, Response& res) {
    EventStream events(req, res, kHeartbeat);
    channel.pop();
    events.send("done");
  });
  app.get("/silent", [&](Request& req, Response& res) {
    EventStream events(req, res, milliseconds(0));
    channel.pop();
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(256 * 1024);
  begin_another(peer, 2, "/silent");
  begin_another(peer, 1, "/");
  ASSERT_TRUE(wait_for(peer, kHeartbeats));
  channel.push(1);
  channel.push(2);
  EXPECT_TRUE(ends_cleanly(peer));
  const std::string body(peer.reply(1).body());
  EXPECT_TRUE(body.ends_with(":\n\ndata: done\n\n")) << body;
  ASSERT_TRUE(peer.wait_end(2));
  EXPECT_EQ(peer.reply(2).body(), "");
}

TEST_P(EventStreamTest, HeartbeatsSpareClientsThatTakeNothing) {
  app.get("/", [&](Request& req, Response& res) {
    EventStream events(req, res, kHeartbeat);
    const std::size_t head = 120;
    events.send(std::string(16 * 1024 - head - 20, 'x'));
    sleep_for(std::chrono::hours(1));
  });
  app.get("/other", beat_until_stopped);
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(16 * 1024);
  peer.auto_credit = false;
  peer.begin(1, "GET", "/");
  peer.input_end(1);
  // It gets heartbeats up to the end of its window and not a byte more.
  ASSERT_TRUE(peer.wait([&] { return peer.reply(1).output.size() + 3 > 16 * 1024; }));
  begin_another(peer, 2, "/other");
  ASSERT_TRUE(peer.wait([&] { return peer.reply(2).body().ends_with(kHeartbeats); }));
  EXPECT_LE(peer.reply(1).output.size(), 16U * 1024);
  EXPECT_FALSE(peer.closed());
  peer.abort(1);
  EXPECT_TRUE(peer.wait_end(1));
}

TEST_P(EventStreamTest, ATransformGetsNoHeartbeats) {
  Channel<int> channel(1);
  app.get("/", [&](Request& req, Response& res) {
    res.transform([](std::string_view chunk, bool last) {
      return '<' + std::string(chunk) + (last ? "|>" : ">");
    });
    EventStream events(req, res, kHeartbeat);
    channel.pop();
    events.send("x");
  });
  app.get("/other", beat_until_stopped);
  const auto serving = serve();
  Peer peer(serving->address());
  begin(peer, "/");
  begin_another(peer, 2, "/other");
  ASSERT_TRUE(peer.wait([&] { return peer.reply(2).body().ends_with(kHeartbeats); }));
  channel.push(1);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).body(), "<><data: x\n\n><|>");
  peer.abort(2);
}

TEST_P(EventStreamTest, EndsItselfWhenDraining) {
  Flag left;
  app.get("/", [&](Request& req, Response& res) {
    EventStream events(req, res);
    events.send("first", {}, "1");
    try {
      Channel<int> never(1);
      never.pop();
    } catch (const client_gone&) {
      left.set();
      throw;
    }
  });
  const auto serving = serve();
  Peer peer(serving->address());
  begin(peer, "/");
  ASSERT_TRUE(wait_for(peer, "data: first\n\n"));
  serving->drain();
  ASSERT_TRUE(left.wait());
  EXPECT_TRUE(peer.wait_end(1));
  EXPECT_TRUE(peer.reply(1).ended);
  EXPECT_TRUE(peer.reply(1).body().ends_with("data: first\n\n"));
  EXPECT_TRUE(serving->returns(std::chrono::seconds(20)));
}

TEST_P(EventStreamTest, SendingEndsItWhenDraining) {
  app.get("/", [&](Request& req, Response& res) {
    EventStream events(req, res);
    for (int i = 0;; ++i) {
      events.send(std::to_string(i));
      sleep_for(milliseconds(5));
    }
  });
  const auto serving = serve();
  Peer peer(serving->address());
  begin(peer, "/");
  ASSERT_TRUE(wait_for(peer, "data: 3\n\n"));
  serving->drain();
  EXPECT_TRUE(peer.wait_end(1));
  EXPECT_TRUE(peer.reply(1).body().ends_with("\n\n"));
}

TEST_P(EventStreamTest, TheBridgeMayAnnounceThatItDrains) {
  app.get("/", [&](Request& req, Response& res) {
    EventStream events(req, res);
    events.send(req.draining() ? "draining" : "first");
    sleep_for(std::chrono::seconds(60));
    events.send("not sent");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  Peer other(serving->address());
  begin(peer, "/");
  begin(other, "/");
  ASSERT_TRUE(wait_for(peer, "data: first\n\n"));
  ASSERT_TRUE(wait_for(other, "data: first\n\n"));
  peer.announce_draining();
  EXPECT_TRUE(ends_cleanly(peer));
  EXPECT_EQ(peer.reply(1).body(), "data: first\n\n");
  // The connections of others go on, and what is new on this one is answered.
  EXPECT_FALSE(other.reply(1).ended);
  EXPECT_EQ(peer.get("/").body(), "") << "a stream that could not stay is an empty one";
  other.abort(1);
  EXPECT_TRUE(other.wait_end(1));
}

TEST_P(EventStreamTest, HeadIsAnsweredAtOnce) {
  app.get("/", [](Request& req, Response& res) {
    EventStream events(req, res);
    while (true) events.send("x");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  const auto head = peer.request("HEAD", "/", "");
  EXPECT_THAT(std::string(head.head()), HasSubstr("text/event-stream"));
  EXPECT_EQ(head.body(), "");
}

TEST_P(EventStreamTest, AFailureBreaksIt) {
  app.get("/", [](Request& req, Response& res) {
    EventStream events(req, res);
    events.send("x");
    throw std::runtime_error("no more");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  begin(peer, "/");
  peer.wait_end(1);
  EXPECT_NE(peer.reply(1).app_status, 0U);
}

}  // namespace
}  // namespace viaduct::test
