#include "daemon/master/inherited_sockets.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

// The protocol fixes the numbers 3 and up: played through in a child of its own.
int in_child(const char* names, bool for_us) {
  const pid_t child = ::fork();
  if (child != 0) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  }
  ::dup2(::open("/dev/null", O_RDONLY), 3);
  ::dup2(3, 4);
  ::setenv("LISTEN_PID", std::to_string(for_us ? ::getpid() : 1).c_str(), 1);
  ::setenv("LISTEN_FDS", "2", 1);
  ::setenv("LISTEN_FDNAMES", names, 1);
  InheritedSockets sockets = InheritedSockets::from_environment();
  if (!for_us) ::_exit(sockets.left().empty() ? 0 : 1);
  const UniqueFd second = sockets.take("api");
  const bool good = second.get() == 4 && !sockets.take("api") && !sockets.take("other") &&
                    sockets.left() == std::vector<std::string>{"web"} &&
                    ::getenv("LISTEN_FDS") == nullptr;
  ::_exit(good ? 0 : 1);
}

TEST(InheritedSocketsTest, AreTakenByNameOnce) {
  EXPECT_EQ(in_child("web:api", true), 0);
}

TEST(InheritedSocketsTest, ThoseOfAnotherProcessAreNotOurs) {
  EXPECT_EQ(in_child("web:api", false), 0);
}

}  // namespace
}  // namespace viaduct::daemon::master
