#include "daemon/master/process_memory.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

TEST(ProcessMemory, ProportionalSizeIsTakenFromTheRollup) {
  EXPECT_EQ(parse_pss("55d0-7ffe ---p 00000000 00:00 0    [rollup]\n"
                      "Rss:                1916 kB\n"
                      "Pss:                 191 kB\n"
                      "Pss_Dirty:            90 kB\n"),
            191u * 1024);
  for (const std::string_view text :
       {"", "Pss: 3 kB", "\nPss:", "\nPss:   \n", "\nPss: x kB\n", "\nPss: 12\n",
        "\nPss: 99999999999999999999999 kB\n", "\nSwapPss: 3 kB\n"}) {
    EXPECT_EQ(parse_pss(text), std::nullopt) << text;
  }
}

TEST(ProcessMemory, ResidentSizeIsTheSecondNumberOfPages) {
  EXPECT_EQ(parse_rss("665 479 432 5 0 97 0\n", 4096), 479u * 4096);
  for (const std::string_view text : {"", "665", "665 x", "a b c"}) {
    EXPECT_EQ(parse_rss(text, 4096), std::nullopt) << text;
  }
}

TEST(ProcessMemory, DescendantsCount) {
  constexpr std::size_t kSize = 64 * kMiB;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setpgid(0, 0);
    if (::fork() == 0) {
      void* memory =
          ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      std::memset(memory, 1, kSize);
      (void)!::write(ready[1], "", 1);
    }
    for (;;) ::pause();
  }
  ::setpgid(child, child);
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_GE(memory_of(child), kSize);
  EXPECT_LT(memory_of(child), kSize + 512 * kMiB);
  ::kill(-child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(ProcessMemory, NobodyUsesNothing) {
  EXPECT_EQ(memory_of(0x3fffffff), 0u);
}

}  // namespace
}  // namespace viaduct::daemon::master
