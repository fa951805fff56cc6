#include "daemon/master/exit_text.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

TEST(ExitTextTest, SaysHowAProcessEnded) {
  EXPECT_EQ(exit_text(W_EXITCODE(0, 0)), "exited with status 0");
  EXPECT_EQ(exit_text(W_EXITCODE(3, 0)), "exited with status 3");
  EXPECT_EQ(exit_text(SIGSEGV), "killed by SIGSEGV");
  EXPECT_EQ(exit_text(SIGABRT | WCOREFLAG), "killed by SIGABRT (core dumped)");
}

TEST(ExitTextTest, NamesSignalsAndErrors) {
  EXPECT_EQ(signal_name(SIGTERM), "SIGTERM");
  EXPECT_EQ(signal_name(SIGRTMIN + 2), "signal " + std::to_string(SIGRTMIN + 2));
  EXPECT_EQ(error_text(EACCES), "Permission denied (EACCES)");
}

}  // namespace
}  // namespace viaduct::daemon::master
