#include <atomic>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <viaduct/testing.hpp>

#include "events_app.hpp"

namespace events {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using viaduct::testing::Client;
using viaduct::testing::Reply;
using viaduct::testing::Via;

class EventsTest : public ::testing::TestWithParam<Via> {
 protected:
  Room room;
  std::unique_ptr<viaduct::App> app = make_app(room);
};

INSTANTIATE_TEST_SUITE_P(Events, EventsTest,
                         ::testing::Values(Via::direct, Via::fastcgi, Via::scgi, Via::http));

TEST_P(EventsTest, WhoComesBackGetsWhatWasSaidMeanwhile) {
  Client client(*app, GetParam());
  for (const char* const text : {"first", "second\nline", "third"}) {
    EXPECT_EQ(client.post("/chat", text, "text/plain").status, 204);
  }
  client.header("Last-Event-ID", "1");
  const Reply reply = client.disconnect_after(60).get("/chat");
  EXPECT_EQ(reply.headers.get("Content-Type"), "text/event-stream");
  EXPECT_THAT(reply.body, HasSubstr("data: second\ndata: line\n"));
  EXPECT_THAT(reply.body, Not(HasSubstr("first")));
}

TEST_P(EventsTest, WhatIsSaidReachesThoseWhoListen) {
  Client listener(*app, GetParam());
  Client speaker(*app, GetParam());
  std::atomic<bool> heard = false;
  std::jthread speaking([&] {
    while (!heard) speaker.post("/chat", "hello", "text/plain");
  });
  const Reply reply = listener.disconnect_after(200).get("/chat");
  heard = true;
  EXPECT_THAT(reply.body, HasSubstr("data: hello\n"));
}

TEST_P(EventsTest, TheClockTicks) {
  Client client(*app, GetParam());
  const Reply reply = client.disconnect_after(20).get("/clock");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr("tick"));
}

TEST_P(EventsTest, EmptyAndLongMessagesAreRefused) {
  Client client(*app, GetParam());
  EXPECT_EQ(client.post("/chat", "", "text/plain").status, 400);
  EXPECT_EQ(client.post("/chat", std::string(1000, 'x'), "text/plain").status, 204);
  EXPECT_EQ(client.post("/chat", std::string(1001, 'x'), "text/plain").status, 413);
}

TEST(Room, InboxesThatNobodyEmptiesAreClosed) {
  Room room;
  const auto inbox = room.listen(0);
  for (int i = 0; i < 201; ++i) room.say("word");
  int received = 0;
  while (inbox->pop()) ++received;
  EXPECT_EQ(received, 200);
  const auto again = room.listen(200);
  EXPECT_EQ(again->pop()->id, 201U);
}

TEST(Room, RemembersAHundredMessages) {
  Room room;
  for (int i = 0; i < 101; ++i) room.say("word");
  EXPECT_EQ(room.listen(0)->pop()->id, 2U);
}

}  // namespace
}  // namespace events
