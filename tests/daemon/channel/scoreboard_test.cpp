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

}  // namespace
}  // namespace viaduct::daemon
