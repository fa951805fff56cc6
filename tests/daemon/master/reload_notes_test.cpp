#include "daemon/master/reload_notes.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

const ReloadPlan kPlan = {{"shop", AppChange::Kind::kept, {}},
                          {"blog", AppChange::Kind::restarted, {"env"}}};

TEST(ReloadNotesTest, NothingIsSaidOfWhatIsTheSame) {
  EXPECT_EQ(notes({}, kPlan, {}), "");
}

TEST(ReloadNotesTest, EachPartIsNamedWithItsKeys) {
  const config::Changes changes{
      .global = {{"bridge", {"threads"}}, {"log", {"format", "level"}}, {"ready", {}}},
      .apps = {{"shop", {"limits", "timeouts"}}},
      .listeners = {{"unix:/a", {"mode"}}},
      .added_listeners = {"unix:/b"},
      .removed_listeners = {"unix:/c"}};
  EXPECT_EQ(notes(changes, kPlan, {"unix:/d"}),
            "; also changed: shop (limits, timeouts), listener unix:/a (mode), "
            "listener unix:/b added, listener unix:/c removed, listener unix:/d opened anew, "
            "bridge (threads), log (format, level), ready");
}

TEST(ReloadNotesTest, AppsWithNewWorkersHaveBeenNamed) {
  EXPECT_EQ(notes({.apps = {{"blog", {"env", "timeouts"}}}}, kPlan, {}), "");
}

}  // namespace
}  // namespace viaduct::daemon::master
