#include "tests/daemon/config/mistakes.hpp"

#include <gmock/gmock.h>

#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {

void expect_each(const std::vector<Mistake>& mistakes, const std::string& before,
                 const std::string& after) {
  for (const Mistake& mistake : mistakes) {
    const ConfigDir dir;
    const LoadResult result = dir.load(before + mistake.yaml + after);
    EXPECT_FALSE(result.settings);
    EXPECT_THAT(dir.texts(result.errors), testing::ElementsAre(mistake.message)) << mistake.yaml;
  }
}

}  // namespace viaduct::daemon::config
