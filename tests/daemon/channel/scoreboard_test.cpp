#include "daemon/channel/scoreboard.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon {
namespace {

TEST(ScoreboardTest, BeginsAtZeroAndIsSharedBetweenProcesses) {
  const UniqueFd descriptor(create_scoreboard());
  EXPECT_EQ(::fcntl(descriptor.get(), F_GETFD), FD_CLOEXEC);
  Scoreboard& scores = map_scoreboard(descriptor.get());
  EXPECT_EQ(scores.progress.load(), 0u);
  EXPECT_EQ(scores.apps.back().requests.load(), 0u);

  const pid_t child = ::fork();
  if (child == 0) {
    map_scoreboard(descriptor.get()).apps[5].requests.fetch_add(3);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(scores.apps[5].requests.load(), 3u);
  EXPECT_EQ(map_scoreboard(descriptor.get()).apps[5].requests.load(), 3u) << "mapped anew";
}

// Reading a page that is gone would end the master.
TEST(ScoreboardTest, AProcessThatHasItCannotChangeItsSize) {
  const UniqueFd descriptor(create_scoreboard());
  Scoreboard& scores = map_scoreboard(descriptor.get());
  const pid_t child = ::fork();
  if (child == 0) {
    const bool refused = ::ftruncate(descriptor.get(), 0) != 0 &&
                         ::ftruncate(descriptor.get(), 2 * sizeof(Scoreboard)) != 0 &&
                         ::fcntl(descriptor.get(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE) != 0;
    ::_exit(refused ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(scores.apps.back().queued.load(), 0);
}

}  // namespace
}  // namespace viaduct::daemon
