#include "daemon/bridge/link/connection_room.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Clock::time_point at(Clock::duration time) {
  return Clock::time_point(seconds(1000) + time);
}

TEST(ConnectionRoom, IsUnknownUntilAConnectionStarves) {
  ConnectionRoom room;
  room.serves(3);
  EXPECT_EQ(room.limit(at({})), ConnectionRoom::kUnknown);
}

TEST(ConnectionRoom, IsWhatWasServedWhileOneStarved) {
  struct Row {
    std::size_t served;
    std::size_t expected;
  };
  for (const Row& row : {Row{1, 1}, Row{2, 2}, Row{40, 40}}) {
    ConnectionRoom room;
    room.starves(row.served, at({}));
    EXPECT_EQ(room.limit(at({})), row.expected) << row.served;
  }
}

TEST(ConnectionRoom, GrowsWithWhatIsServedAtOnce) {
  ConnectionRoom room;
  room.starves(2, at({}));
  room.serves(1);
  EXPECT_EQ(room.limit(at({})), 2u);
  room.serves(5);
  EXPECT_EQ(room.limit(at({})), 5u);
  room.starves(3, at({}));
  EXPECT_EQ(room.limit(at({})), 3u) << "it has fewer processes now";
}

TEST(ConnectionRoom, IsForgotten) {
  ConnectionRoom room;
  room.starves(2, at({}));
  constexpr auto kEnd = ConnectionRoom::kRemembered;
  EXPECT_EQ(room.limit(at(kEnd - milliseconds(1))), 2u);
  EXPECT_EQ(room.limit(at(kEnd)), ConnectionRoom::kUnknown);
  room.starves(4, at(kEnd));
  EXPECT_EQ(room.limit(at(kEnd + seconds(1))), 4u);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
