// bridge.sandbox against what the kernel gives.
#include <cerrno>

#include <gmock/gmock.h>

#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Sandbox, RequiredIsNotStartedWithoutAllOfIt) {
  const ConfigDir dir;
  const std::string required = "bridge: {sandbox: required}\n";
  FakeSystem system;
  EXPECT_THAT(dir.texts(dir.load(required, system, Purpose::start).errors), ElementsAre());
  system.sandbox_probe = {.seccomp = EPERM, .landlock = ENOSYS};
  for (const Purpose purpose : {Purpose::start, Purpose::reload}) {
    EXPECT_THAT(dir.texts(dir.load(required, system, purpose).errors),
                ElementsAre("main.yaml:1:19: bridge.sandbox: required, but not available: seccomp: "
                            "Operation not permitted (EPERM)",
                            "main.yaml:1:19: bridge.sandbox: required, but not available: "
                            "landlock: Function not implemented (ENOSYS)"));
  }
  const LoadResult checked = dir.load(required, system);
  EXPECT_TRUE(checked.settings) << "it may be for another machine";
  EXPECT_THAT(dir.texts(checked.warnings),
              Contains("main.yaml:1:19: bridge.sandbox: not available to this process: "
                       "landlock: Function not implemented (ENOSYS)"));
}

TEST(Sandbox, WhatIsNotRequiredMayBeMissing) {
  const ConfigDir dir;
  FakeSystem system;
  system.sandbox_probe = {.seccomp = EPERM, .landlock = ENOSYS};
  for (const char* mode : {"auto", "\"off\""}) {
    const LoadResult result =
        dir.load(std::string("bridge: {sandbox: ") + mode + "}\n", system, Purpose::start);
    EXPECT_THAT(dir.texts(result.errors), ElementsAre()) << mode;
    EXPECT_THAT(dir.texts(result.warnings), Not(Contains(HasSubstr("sandbox")))) << mode;
  }
}

}  // namespace
}  // namespace viaduct::daemon::config
