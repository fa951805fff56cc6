#include "daemon/channel/crash.hpp"

#include <csignal>

#include <gtest/gtest.h>

namespace viaduct::daemon::channel {
namespace {

TEST(Crash, EveryKindOfEnd) {
  struct Row {
    int status;  // of waitpid: a signal, or an exit status in the second byte
    bool crashed;
    bool by_error;
  };
  for (const Row& row :
       {Row{0, false, false}, Row{1 << 8, true, false}, Row{255 << 8, true, false},
        Row{SIGSEGV, true, true}, Row{SIGBUS, true, true}, Row{SIGABRT, true, true},
        Row{SIGFPE, true, true}, Row{SIGILL, true, true}, Row{SIGTRAP, true, true},
        Row{SIGSYS, true, true}, Row{SIGSEGV | 0x80, true, true}, Row{SIGKILL, false, false},
        Row{SIGTERM, false, false}, Row{SIGINT, false, false}, Row{SIGHUP, false, false},
        Row{SIGPIPE, false, false}, Row{SIGSTOP << 8 | 0x7f, false, false}}) {
    EXPECT_EQ(crashed(row.status), row.crashed) << row.status;
    EXPECT_EQ(killed_by_error(row.status), row.by_error) << row.status;
  }
}

}  // namespace
}  // namespace viaduct::daemon::channel
