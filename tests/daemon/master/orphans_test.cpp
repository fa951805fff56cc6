#include "daemon/master/orphans.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using std::chrono::seconds;

TEST(EnvironmentValue, IsThatOfTheWholeName) {
  std::string environ;
  for (const char* entry :
       {"A=1", "VIADUCT_WORKER=shop/1", "VIADUCT_WORKER_X=2", "EMPTY=", "LAST=x"}) {
    environ.append(entry).push_back('\0');
  }
  const struct {
    const char* name;
    const char* value;
  } cases[] = {{"A", "1"},
               {"VIADUCT_WORKER", "shop/1"},
               {"VIADUCT_WORKER_X", "2"},
               {"EMPTY", ""},
               {"LAST", "x"},
               {"VIADUCT", ""},
               {"WORKER", ""}};
  for (const auto& c : cases) EXPECT_EQ(environment_value(environ, c.name), c.value) << c.name;
  EXPECT_EQ(environment_value("", "A"), "");
}

// The text is read up to a limit, and half a number is another number.
TEST(EnvironmentValue, IsNotBelievedWhereItIsCut) {
  const std::string environ("A=1\0SERIAL=12\0", 14);
  EXPECT_EQ(environment_value(environ, "SERIAL"), "12");
  for (std::size_t size = 0; size < environ.size(); ++size) {
    EXPECT_EQ(environment_value(environ.substr(0, size), "SERIAL"), "") << size;
  }
}

class OrphansTest : public testing::Test {
 protected:
  // Runs a worker of that serial, which leaves a process and ends. Returns the pid of the process.
  pid_t leave(std::uint64_t serial, const std::string& how) {
    int ends[2];
    if (::pipe(ends) != 0) return -1;
    worker = ::fork();
    if (worker == 0) {
      ::setsid();
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      const std::string environment = "VIADUCT_WORKER_SERIAL=" + std::to_string(serial);
      const std::string script = how + " >/dev/null & echo $!";
      ::execle(
          "/bin/sh", "sh", "-c", script.c_str(), nullptr,
          std::array<const char*, 3>{environment.c_str(), "PATH=/usr/bin:/bin", nullptr}.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    std::string text(32, '\0');
    const ssize_t count = ::read(ends[0], text.data(), text.size());
    ::close(ends[0]);
    EXPECT_GT(count, 0);
    int status = 0;
    EXPECT_EQ(::waitpid(worker, &status, 0), worker);
    const pid_t left = std::stoi(text);
    orphans.push_back(left);
    return left;
  }

  // The worker of that serial has ended: looks once.
  void ended(std::uint64_t serial) {
    found.worker_ended(worker, serial, now);
    EXPECT_FALSE(found.look(now));
  }

  // A child with that in front of its environment, in a session of its own.
  pid_t child_with(const std::string& first) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return -1;
    const pid_t child = ::fork();
    if (child == 0) {
      ::setsid();
      ::execle("/bin/sleep", "sleep", "1000", nullptr,
               std::array<const char*, 3>{first.c_str(), "PATH=/usr/bin:/bin", nullptr}.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    char none = 0;
    EXPECT_EQ(::read(ends[0], &none, 1), 0) << "closed by exec";
    ::close(ends[0]);
    orphans.push_back(child);
    return child;
  }

  // Waits until the process has made its session.
  static bool leads_session(pid_t process) {
    const auto end = std::chrono::steady_clock::now() + seconds(60);
    while (::getsid(process) != process) {
      if (std::chrono::steady_clock::now() > end) return false;
      ::usleep(1000);
    }
    return true;
  }

  // The signal that ended a child; 0 when it lives.
  static int ended_by(pid_t child) {
    int status = 0;
    return ::waitpid(child, &status, WNOHANG) == child && WIFSIGNALED(status) ? WTERMSIG(status)
                                                                              : 0;
  }
  static int will_end_by(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

  void SetUp() override { Orphans::adopt(); }
  void TearDown() override {
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
    for (const pid_t pid : orphans) {
      if (::kill(pid, 0) == 0 && ::waitpid(pid, nullptr, WNOHANG) == 0) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
      }
    }
  }

  Orphans found{[this](pid_t pid) { return pid == expected; }};
  pid_t worker = -1;
  pid_t expected = -1;
  std::vector<pid_t> orphans;
  const Orphans::Clock::time_point now{std::chrono::hours(1)};
};

TEST_F(OrphansTest, AProcessInTheSessionOfItsWorkerIsKilled) {
  const pid_t left = leave(1, "sleep 1000");
  ended(3);
  EXPECT_EQ(will_end_by(left), SIGKILL);
}

TEST_F(OrphansTest, AProcessInASessionOfItsOwnIsKilledByItsEnvironment) {
  const pid_t left = leave(1, "exec setsid sleep 1000");
  ASSERT_TRUE(leads_session(left));
  ended(1);
  EXPECT_EQ(will_end_by(left), SIGKILL);
}

TEST_F(OrphansTest, OthersAreLeftAlone) {
  const pid_t other = leave(2, "exec setsid sleep 1000");
  ASSERT_TRUE(leads_session(other));
  ended(1);
  EXPECT_EQ(ended_by(other), 0) << "of another worker";
  expected = other;
  ended(2);
  EXPECT_EQ(ended_by(other), 0) << "somebody waits for it";
}

TEST_F(OrphansTest, WhatAnOrphanLeavesIsKilledInItsTurn) {
  const pid_t left = leave(1, "sh -c 'setsid sleep 1000 & wait'");
  const std::string pid = std::to_string(left);
  pid_t grandchild = 0;
  while (grandchild == 0)
    std::ifstream("/proc/" + pid + "/task/" + pid + "/children") >> grandchild;
  ASSERT_TRUE(leads_session(grandchild));
  orphans.push_back(grandchild);
  ended(1);
  EXPECT_EQ(will_end_by(left), SIGKILL);
  found.orphan_ended(left);
  EXPECT_FALSE(found.look(now + seconds(10)));
  EXPECT_EQ(will_end_by(grandchild), SIGKILL);
}

TEST_F(OrphansTest, WhatNobodyIsFoundForLivesUntilTheEnd) {
  const pid_t left = leave(1, "exec env -i setsid sh -c 'sleep 1000 & wait'");
  ASSERT_TRUE(leads_session(left));
  const std::string pid = std::to_string(left);
  pid_t grandchild = 0;
  while (grandchild == 0) {
    std::ifstream("/proc/" + pid + "/task/" + pid + "/children") >> grandchild;
  }
  ended(1);
  EXPECT_EQ(ended_by(left), 0);
  found.end();
  EXPECT_EQ(::kill(left, 0), -1);
  EXPECT_EQ(::kill(grandchild, 0), -1);
}

TEST_F(OrphansTest, ChildrenFromBeforeOutliveTheEnd) {
  const pid_t before = leave(1, "exec setsid sleep 1000");
  Orphans later{[this](pid_t pid) { return pid == expected; }};
  const pid_t awaited = expected = leave(1, "exec setsid sleep 1000");
  later.worker_ended(worker, 1, now);
  EXPECT_FALSE(later.look(now));
  later.end();
  EXPECT_EQ(ended_by(before), 0);
  EXPECT_EQ(ended_by(awaited), 0);
}

TEST_F(OrphansTest, SoManyAreReadAtATimeAndEachOnce) {
  constexpr std::size_t kMany = Orphans::kReadsPerLook + 1;
  std::vector<pid_t> children;
  for (std::size_t i = 0; i < kMany; ++i) children.push_back(child_with("VIADUCT_WORKER_SERIAL=1"));
  worker = ::getpid();  // no child is in its session
  found.worker_ended(worker, 2, now);
  EXPECT_TRUE(found.look(now)) << "one more than are read at a time";
  EXPECT_FALSE(found.look(now)) << "the others are known";
  found.worker_ended(worker, 1, now);
  EXPECT_FALSE(found.look(now)) << "all are known";
  for (const pid_t child : children) EXPECT_EQ(will_end_by(child), SIGKILL);
}

}  // namespace
}  // namespace viaduct::daemon::master
