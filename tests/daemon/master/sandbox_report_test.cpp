#include "daemon/master/sandbox_report.hpp"

#include <cerrno>
#include <climits>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

using Names = std::vector<std::string>;

TEST(SandboxReportTest, PartsAreBitsWhateverElseABridgeSays) {
  const struct {
    std::uint32_t parts;
    Names names;
  } cases[] = {
      {0, {}},
      {kSyscallFilter, {"seccomp"}},
      {kFileRules, {"landlock"}},
      {kSyscallFilter | kFileRules, {"seccomp", "landlock"}},
      {0xffff'fff0U | kFileRules, {"landlock"}},
  };
  for (const auto& c : cases) EXPECT_EQ(sandbox_parts({.parts = c.parts}), c.names) << c.parts;
}

TEST(SandboxReportTest, WhatLacksHasItsReason) {
  EXPECT_TRUE(sandbox_lacks({}).empty());
  const auto both = sandbox_lacks({.seccomp_error = EPERM, .landlock_error = ENOSYS});
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].first + ": " + both[0].second, "seccomp: Operation not permitted (EPERM)");
  EXPECT_EQ(both[1].first + ": " + both[1].second, "landlock: Function not implemented (ENOSYS)");
  for (const int lie : {-1, 123456, INT_MIN}) {
    const auto lacks = sandbox_lacks({.landlock_error = lie});
    ASSERT_EQ(lacks.size(), 1u);
    EXPECT_EQ(lacks[0].second, "Unknown error " + std::to_string(lie));
  }
}

}  // namespace
}  // namespace viaduct::daemon::master
