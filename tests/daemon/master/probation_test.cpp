#include "daemon/master/probation.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

struct Case {
  const char* name;
  Outcomes before;
  Outcomes now;
  bool fails;
};

TEST(Probation, Table) {
  const Case cases[] = {
      {"nothing happened", {0, 0}, {0, 0}, false},
      {"no errors", {1000, 0}, {1000, 0}, false},
      {"one below a handful", {100000, 0}, {4, 4}, false},
      {"a handful", {100000, 0}, {5, 5}, true},
      {"everything fails", {100, 0}, {20, 20}, true},
      {"a handful among many is no chance after so many without", {100000, 0}, {1000, 5}, true},
      {"a handful among many may be chance after few", {1000, 0}, {1000, 5}, false},
      {"as bad as before", {1000, 100}, {1000, 100}, false},
      {"somewhat worse, however certain", {1000000, 100000}, {1000000, 150000}, false},
      {"twice as bad is not more than twice", {1000000, 100000}, {1000000, 200000}, false},
      {"more than twice as bad", {1000000, 100000}, {1000000, 200001}, true},
      {"more than twice as bad by chance", {50, 2}, {50, 5}, false},
      {"better", {1000, 500}, {1000, 10}, false},
      {"the old ones failed always, so do the new", {1000, 1000}, {100, 100}, false},
      {"without a past half of them is too many", {0, 0}, {10, 5}, true},
      {"without a past less than half is not", {0, 0}, {11, 5}, false},
      {"numbers near the end of their type", {UINT64_MAX / 2, 0}, {UINT64_MAX / 2, 5}, false},
  };
  for (const Case& c : cases) EXPECT_EQ(fails_probation(c.before, c.now), c.fails) << c.name;
}

}  // namespace
}  // namespace viaduct::daemon::master
