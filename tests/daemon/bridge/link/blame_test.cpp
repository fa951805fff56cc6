#include "daemon/bridge/link/blame.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

TEST(Blame, EveryRow) {
  constexpr Blame kServer = Blame::server;
  constexpr Blame kRequest = Blame::request;
  struct Row {
    bool delivered;
    bool answering;
    bool lost_before;
    std::uint64_t head;
    std::uint64_t longest_answered;
    Blame expected;
  };
  const Row rows[] = {
      // Nobody has read it.
      {false, false, false, 5000, 400, kServer},
      {false, false, true, 400, 400, kServer},
      // The server ended within its response.
      {true, true, false, 5000, 400, kServer},
      {true, true, true, 400, 400, kServer},
      // Closed on the head.
      {true, false, false, 399, 400, kServer},
      {true, false, false, 400, 400, kServer},
      {true, false, false, 401, 400, kRequest},
      {true, false, false, 5000, 400, kRequest},
      // Servers that have answered nothing yet show no limit.
      {true, false, false, 5000, 0, kServer},
      // Its first attempt has counted.
      {true, false, true, 400, 400, kRequest},
      {true, false, true, 5000, 0, kRequest},
  };
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    const Row& row = rows[i];
    const LostRequest lost{.delivered = row.delivered,
                           .answering = row.answering,
                           .lost_before = row.lost_before,
                           .head = row.head};
    EXPECT_EQ(blame(lost, row.longest_answered), row.expected) << "row " << i;
  }
}

TEST(HeadSize, CountsLengthsToo) {
  protocol::Pairs params;
  EXPECT_EQ(head_size(params), 0u);
  params.add("NAME", "value");
  params.add("A", "");
  EXPECT_EQ(head_size(params), 4u + 9 + 4 + 1);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
