#include "daemon/config/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kShop = R"(
listeners: [{protocol: fastcgi, address: "unix:/run/web.sock", app: shop}]
apps:
  shop: {command: [/srv/shop/bin/shop], user: shop}
)";

TEST(Load, FillsInEveryDefault) {
  const ConfigDir dir;
  const LoadResult result = dir.load(kShop);
  ASSERT_TRUE(result.settings) << dir.texts(result.errors)[0];
  EXPECT_THAT(dir.texts(result.warnings), IsEmpty());
  const Settings& settings = *result.settings;

  EXPECT_EQ(settings.runtime_dir, "/run/viaduct");
  EXPECT_EQ(format(settings.control.address), "unix:/run/viaduct/control.sock");
  EXPECT_EQ(settings.control.mode, 0660u);
  EXPECT_EQ(settings.log, LogSettings{});
  EXPECT_EQ(settings.access_log.to.kind, LogTarget::Kind::off);
  EXPECT_EQ(settings.bridge.identity.account.name, "viaduct");
  EXPECT_EQ(settings.limits, (GlobalLimits{16384, 512ull << 20}));

  ASSERT_EQ(settings.listeners.size(), 1u);
  EXPECT_EQ(settings.listeners[0].mode, 0660u);
  EXPECT_EQ(settings.listeners[0].backlog, 4096u);
  EXPECT_THAT(settings.listeners[0].routes, ElementsAre(RouteSettings{"/", false, "shop"}));

  ASSERT_EQ(settings.apps.size(), 1u);
  const AppSettings& app = settings.apps[0];
  EXPECT_EQ(app.directory + "/main.yaml", dir.path());
  EXPECT_EQ(app.executable, "/srv/shop/bin/shop");
  EXPECT_TRUE(app.command_file);
  EXPECT_EQ(app.workers, 4u);
  EXPECT_EQ(app.timeouts, Timeouts{});
  EXPECT_EQ(app.limits, AppLimits{});
  EXPECT_EQ(app.concurrency, Concurrency{});
  EXPECT_EQ(app.stop_signal, SIGTERM);
  EXPECT_EQ(app.umask, 0022u);
  EXPECT_TRUE(app.clear_env);
  EXPECT_TRUE(app.probe);
}

}  // namespace
}  // namespace viaduct::daemon::config
