// Processes that say why they crash.
#include <signal.h>
#include <sys/resource.h>

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "sdk/src/runtime/crash_line.hpp"
#include "sdk/src/runtime/fiber_sanitizers.hpp"
#include "tests/sdk/support/child_process.hpp"
#include "tests/sdk/support/peer.hpp"

namespace viaduct::test {
namespace {

using detail::CrashLine;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

TEST(CrashLineTest, IsOneLineWithoutControlCharacters) {
  CrashLine line;
  line.text("a\nb\x1b\x7f").number(120).text(" ").address(0xbeef);
  EXPECT_EQ(line.bytes(), "viaduct-crash: a?b??120 0xbeef");
}

TEST(CrashLineTest, IsCutAtItsSize) {
  for (const std::size_t more : {CrashLine::kSize, CrashLine::kSize + 1}) {
    CrashLine line;
    line.text(std::string(more, 'x'));
    EXPECT_EQ(line.bytes().size(), CrashLine::kSize - 1);
  }
}

struct Crashed {
  int status = 0;
  std::vector<std::string> said;  // without the mark
};

Crashed run_and_crash(const std::string& model, const std::string& how,
                      const std::vector<std::pair<const char*, const char*>>& environment = {
                          {"VIADUCT_APP", "test"}}) {
  const std::string address = unused_address();
  ChildProcess child(CRASH_PROGRAM, {"--fastcgi", address, "--model", model, "--limit", "3"}, [&] {
    // A sanitizer's own handlers would be left alone.
    constexpr const char* kOptions =
        "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:"
        "use_sigaltstack=0:detect_leaks=0:allocator_may_return_null=1";
    ::setenv("ASAN_OPTIONS", kOptions, 1);
    ::setenv("TSAN_OPTIONS", kOptions, 1);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    for (const auto& [name, value] : environment) ::setenv(name, value, 1);
  });
  const auto peer = connect_soon(address);
  if (!peer) return {};
  peer->begin(1, "GET", "/" + how, {{"REQUEST_ID", "id-1"}});
  peer->input_end(1);
  peer->flush();
  Crashed crashed;
  if (how == "child") {
    EXPECT_TRUE(peer->wait_end(1));
    child.signal(SIGTERM);
  }
  std::istringstream lines(child.errors());
  constexpr std::string_view kMark = "viaduct-crash: ";
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kMark)) crashed.said.push_back(line.substr(kMark.size()));
  }
  crashed.status = child.wait();
  return crashed;
}

class CrashTest : public ::testing::TestWithParam<const char*> {
 protected:
#ifdef VIADUCT_TSAN
  void SetUp() override {
    GTEST_SKIP() << "ThreadSanitizer calls handlers of signals itself";
  }
#endif
  static std::string request(const std::string& how) {
    const bool fibers = std::string(GetParam()) == "fibers";
    return std::string(fibers ? "in fiber: GET /" : "in thread: GET /") + how + " id=id-1";
  }
};
INSTANTIATE_TEST_SUITE_P(Models, CrashTest, ::testing::Values("threads", "fibers"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(CrashTest, NullPointer) {
  const Crashed crashed = run_and_crash(GetParam(), "null");
  EXPECT_EQ(crashed.status, -SIGSEGV);
  ASSERT_GT(crashed.said.size(), 4U);
  EXPECT_THAT(crashed.said[0], MatchesRegex("SIGSEGV at address 0x0, thread [0-9]+ \\(.+\\)"));
  EXPECT_EQ(crashed.said[1], request("null"));
  EXPECT_THAT(crashed.said[2], StartsWith("write_to_null("));
  EXPECT_THAT(crashed.said, Contains(AllOf(StartsWith("write_to_null() at crash_app.cpp:"),
                                           HasSubstr(" (sdk_crash_app+0x"))));
  EXPECT_THAT(crashed.said, Contains(StartsWith("crash_handler(")));
  EXPECT_THAT(crashed.said, Not(Contains(HasSubstr("Dispatcher"))));
}

TEST_P(CrashTest, CallThroughANullPointer) {
  const Crashed crashed = run_and_crash(GetParam(), "call-null");
  EXPECT_EQ(crashed.status, -SIGSEGV);
  EXPECT_THAT(crashed.said, Contains(StartsWith("call_null() at crash_app.cpp:")));
  EXPECT_THAT(crashed.said, Contains(StartsWith("crash_handler(")));
}

TEST_P(CrashTest, Abort) {
  const Crashed crashed = run_and_crash(GetParam(), "abort");
  EXPECT_EQ(crashed.status, -SIGABRT);
  ASSERT_GT(crashed.said.size(), 4U);
  EXPECT_THAT(crashed.said[0], MatchesRegex("SIGABRT, thread [0-9]+ \\(.+\\)"));
  EXPECT_EQ(crashed.said[1], request("abort"));
  EXPECT_THAT(crashed.said, Contains(StartsWith("give_up() at crash_app.cpp:")));
}

TEST_P(CrashTest, UncaughtException) {
  const Crashed crashed = run_and_crash(GetParam(), "throw");
  EXPECT_EQ(crashed.status, -SIGABRT);
  ASSERT_GT(crashed.said.size(), 4U);
  EXPECT_EQ(crashed.said[2], "uncaught std::runtime_error: no?way");
  EXPECT_THAT(crashed.said, Contains(StartsWith("throw_where_nobody_may() at crash_app.cpp:")));
  EXPECT_THAT(crashed.said, Contains(StartsWith("crash_handler(")));
}

TEST_P(CrashTest, StackOverflow) {
  const Crashed crashed = run_and_crash(GetParam(), "overflow");
  EXPECT_EQ(crashed.status, -SIGSEGV);
  ASSERT_GT(crashed.said.size(), 4U);
  EXPECT_THAT(crashed.said[0], HasSubstr(", the stack is full, thread "));
  EXPECT_EQ(crashed.said[1], request("overflow"));
  EXPECT_THAT(crashed.said,
              Contains(MatchesRegex("recurse\\(int\\) at crash_app.cpp:.*, [0-9]+ times")));
  EXPECT_LT(crashed.said.size(), 20U);
  EXPECT_THAT(crashed.said, Contains(MatchesRegex("\\.\\.\\. [0-9]+ frames \\.\\.\\.")));
  EXPECT_THAT(crashed.said, Contains(StartsWith("crash_handler(")));
}

TEST_P(CrashTest, InsideOfBlocking) {
  for (const std::string how : {"blocking", "blocking-overflow"}) {
    const Crashed crashed = run_and_crash(GetParam(), how);
    EXPECT_EQ(crashed.status, -SIGSEGV);
    ASSERT_GT(crashed.said.size(), 4U);
    EXPECT_EQ(crashed.said[1], "in thread: GET /" + how + " id=id-1");
    EXPECT_THAT(crashed.said, Contains(HasSubstr("crash_app.cpp:")));
  }
}

TEST_P(CrashTest, SignalFromOutsideEndsItAsItWould) {
  const Crashed crashed = run_and_crash(GetParam(), "kill");
  EXPECT_EQ(crashed.status, -SIGBUS);
  ASSERT_GT(crashed.said.size(), 1U);
  EXPECT_THAT(crashed.said[0], MatchesRegex("SIGBUS, thread [0-9]+ \\(.+\\)"));
}

TEST_P(CrashTest, ThreadsWithoutARequest) {
  const Crashed crashed = run_and_crash(GetParam(), "thread");
  EXPECT_EQ(crashed.status, -SIGSEGV);
  EXPECT_THAT(crashed.said, Contains(StartsWith("write_to_null() at crash_app.cpp:")));
  EXPECT_THAT(crashed.said, Not(Contains(StartsWith("in "))));
}

TEST_P(CrashTest, WithoutMemoryThereAreAddresses) {
  const Crashed crashed = run_and_crash(GetParam(), "no-words");
  EXPECT_EQ(crashed.status, -SIGSEGV);
  EXPECT_THAT(crashed.said, Contains(MatchesRegex("sdk_crash_app\\+0x[0-9a-f]+")));
  EXPECT_THAT(crashed.said, Not(Contains(HasSubstr("write_to_null"))));
}

TEST_P(CrashTest, ChildThatExecutesNothingSaysNothing) {
  const Crashed crashed = run_and_crash(GetParam(), "child");
  EXPECT_EQ(crashed.status, 0);
  EXPECT_THAT(crashed.said, IsEmpty());
}

TEST_P(CrashTest, HandlersOfTheApplicationStay) {
  const Crashed crashed =
      run_and_crash(GetParam(), "null", {{"VIADUCT_APP", "test"}, {"OWN_HANDLER", "1"}});
  EXPECT_EQ(crashed.status, 42);
  EXPECT_THAT(crashed.said, IsEmpty());
}

TEST_P(CrashTest, OnlyUnderViaductdAndWhenWanted) {
  const Crashed alone = run_and_crash(GetParam(), "null", {});
  EXPECT_EQ(alone.status, -SIGSEGV);
  EXPECT_THAT(alone.said, IsEmpty());
  const Crashed silent =
      run_and_crash(GetParam(), "null", {{"VIADUCT_APP", "test"}, {"SILENT", "1"}});
  EXPECT_EQ(silent.status, -SIGSEGV);
  EXPECT_THAT(silent.said, IsEmpty());
}

}  // namespace
}  // namespace viaduct::test
