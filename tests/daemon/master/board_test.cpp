#include "daemon/master/board.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

class BoardTest : public testing::Test {
 protected:
  ~BoardTest() override { ::munmap(&theirs, sizeof(theirs)); }

  // As a bridge in other hands does.
  void punch() {
    ASSERT_EQ(::fallocate(board.descriptor(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                          sizeof(Scoreboard)),
              0);
  }

  Board board{2};
  Scoreboard& theirs{map_scoreboard(board.descriptor())};
};

TEST_F(BoardTest, ShowsWhatTheBridgeCounts) {
  EXPECT_EQ(board.app(1), AppCounts{});
  theirs.progress = 3;
  theirs.malformed = 4;
  theirs.connections = 5;
  AppScore& score = theirs.apps[1];
  score.requests = 1;
  score.failed = 2;
  score.aborted = 3;
  score.retried = 4;
  score.timeouts = 5;
  score.errors = 6;
  score.canary_requests = 7;
  score.canary_errors = 8;
  score.active = 9;
  score.queued = 10;
  EXPECT_EQ(board.progress(), 3u);
  EXPECT_EQ(board.malformed(), 4u);
  EXPECT_EQ(board.connections(), 5);
  EXPECT_EQ(board.app(1), (AppCounts{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(board.app(0), AppCounts{});
}

TEST_F(BoardTest, CountersNeverFall) {
  struct Row {
    std::uint64_t written;
    std::uint64_t shown;
  };
  for (const Row& row : {Row{5, 5}, Row{4, 5}, Row{0, 5}, Row{6, 6}, Row{UINT64_MAX, UINT64_MAX},
                         Row{7, UINT64_MAX}}) {
    theirs.progress = row.written;
    theirs.malformed = row.written;
    theirs.apps[0].requests = row.written;
    theirs.apps[0].canary_errors = row.written;
    EXPECT_EQ(board.progress(), row.shown) << row.written;
    EXPECT_EQ(board.malformed(), row.shown) << row.written;
    EXPECT_EQ(board.app(0).requests, row.shown) << row.written;
    EXPECT_EQ(board.app(0).canary_errors, row.shown) << row.written;
  }
}

TEST_F(BoardTest, HolesChangeNothing) {
  theirs.apps[0].requests = 7;
  theirs.apps[0].active = 3;
  EXPECT_EQ(board.app(0).requests, 7u);
  punch();
  EXPECT_EQ(board.app(0).requests, 7u);
  EXPECT_EQ(board.app(0).active, 0) << "a gauge may fall";
}

TEST_F(BoardTest, ItsSizeCannotBeChanged) {
  EXPECT_NE(::ftruncate(board.descriptor(), 0), 0);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(board.app(1), AppCounts{});
}

TEST_F(BoardTest, GaugesAreNeverNegative) {
  theirs.connections = -1;
  theirs.apps[0].active = INT64_MIN;
  theirs.apps[0].queued = -7;
  EXPECT_EQ(board.connections(), 0);
  EXPECT_EQ(board.app(0).active, 0);
  EXPECT_EQ(board.app(0).queued, 0);
}

TEST(AppCountsTest, SumsDoNotPassTheLargestValue) {
  AppCounts sum{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  sum += AppCounts{10, 10, 10, 10, 10, 10, 10, 10, 10, 10};
  EXPECT_EQ(sum, (AppCounts{11, 12, 13, 14, 15, 16, 17, 18, 19, 20}));
  sum += AppCounts{UINT64_MAX - 11, UINT64_MAX - 12, UINT64_MAX, 0, 0, 0, 0, 0, INT64_MAX, 0};
  EXPECT_EQ(sum.requests, UINT64_MAX);
  EXPECT_EQ(sum.failed, UINT64_MAX);
  EXPECT_EQ(sum.aborted, UINT64_MAX);
  EXPECT_EQ(sum.active, INT64_MAX);
}

}  // namespace
}  // namespace viaduct::daemon::master
