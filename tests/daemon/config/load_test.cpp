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
  EXPECT_THAT(settings.listeners[0].routes, ElementsAre(RouteSettings{.app = "shop"}));

  ASSERT_EQ(settings.apps.size(), 1u);
  const AppSettings& app = settings.apps[0];
  EXPECT_EQ(app.directory + "/main.yaml", dir.path());
  EXPECT_EQ(app.executable, "/srv/shop/bin/shop");
  EXPECT_TRUE(app.command_file);
  EXPECT_EQ(app.workers, (Workers{4, 4, 0, milliseconds(60'000)}));
  EXPECT_EQ(app.timeouts, Timeouts{});
  EXPECT_EQ(app.limits, AppLimits{});
  EXPECT_EQ(app.concurrency, Concurrency{});
  EXPECT_EQ(app.stop_signal, SIGTERM);
  EXPECT_EQ(app.umask, 0022u);
  EXPECT_TRUE(app.clear_env);
  EXPECT_TRUE(app.probe);
}

TEST(Load, ReportsEveryMistakeOfAFileAtOnce) {
  const ConfigDir dir;
  const LoadResult result = dir.load(R"(log: {level: infos}
apps:
  shop: {command: [/srv/shop/bin/shop], user: shop, worker: 3}
  shop: {}
  blog: {connect: [unix:/b], command: [x], user: root}
listeners:
  - {address: tcp:0.0.0.0:80, app: shop}
)");
  EXPECT_FALSE(result.settings);
  EXPECT_THAT(
      dir.texts(result.errors),
      testing::UnorderedElementsAre(
          "main.yaml:1:14: log.level: expected debug, info, warn or error; did you mean \"info\"?",
          "main.yaml:3:53: apps.shop.worker: unknown key; did you mean \"workers\"?",
          "main.yaml:4:3: apps.shop: duplicate key; it was first set at main.yaml:3:3",
          "main.yaml:5:19: apps.blog.connect: expected only one of \"command\" and \"connect\"",
          "main.yaml:5:50: apps.blog.user: root is only allowed together with allow_root: true",
          "main.yaml:7:15: listeners[0].address: tcp:0.0.0.0:80 can be reached from other "
          "machines: "
          "expected \"allow\" with the peers that may connect",
          "blog: exec x: No such file or directory (ENOENT): not in PATH, which is "
          "/usr/local/bin:/usr/bin"));
}

TEST(Load, AnAppThatConnectsHasNoProcess) {
  const ConfigDir dir;
  const LoadResult result = dir.load(R"(
defaults:
  user: shop
  workers: {min: 1, max: 4}
  isolation: {nice: 5}
  limits: {requests: 1000, queue: 7}
apps:
  shop: {command: [/srv/shop/bin/shop]}
  legacy:
    connect: [unix:/run/legacy.sock, unix:@legacy, tcp:10.0.0.7:9000, "tcp:[::1]:9000"]
    concurrency: {limit: 4}
    limits: {requests: 0}
    keepalive: true
    multiplex: auto
    health: {interval: 5s, fail: 1}
listeners:
  - {address: unix:/run/web.sock, routes: [{path: /old, app: legacy}, {path: /, app: shop}]}
)");
  ASSERT_TRUE(result.settings) << dir.texts(result.errors)[0];
  const AppSettings& app = *find_app(*result.settings, "legacy");
  ASSERT_EQ(app.connect.size(), 4u);
  EXPECT_EQ(format(app.connect[1]), "unix:@legacy");
  EXPECT_EQ(format(app.connect[3]), "tcp:[::1]:9000");
  EXPECT_EQ(app.server, (ServerSettings{ServerProtocol::fastcgi, true, Multiplex::automatic,
                                        Health{std::chrono::seconds(5), 1, 2}}));
  EXPECT_EQ(app.workers, (Workers{.min = 0, .max = 0}));
  EXPECT_EQ(app.limits.requests, 0u);
  EXPECT_EQ(app.limits.queue, 7u);
  EXPECT_EQ(app.concurrency.limit, 4u);
  EXPECT_EQ(app.isolation, Isolation{});
  EXPECT_TRUE(app.identity.user.empty());
  const AppSettings& shop = *find_app(*result.settings, "shop");
  EXPECT_TRUE(shop.connect.empty());
  EXPECT_EQ(shop.server, ServerSettings{});
  EXPECT_EQ(shop.workers.max, 4u);
}

TEST(Load, DefaultsMayConnect) {
  const ConfigDir dir;
  const LoadResult result = dir.load(R"(
defaults: {connect: [unix:/run/legacy.sock], protocol: uwsgi}
apps:
  shop: {command: [/srv/shop/bin/shop], user: shop}
  legacy:
listeners:
  - {address: unix:/run/web.sock, routes: [{path: /old, app: legacy}, {path: /, app: shop}]}
)");
  ASSERT_TRUE(result.settings) << dir.texts(result.errors)[0];
  EXPECT_TRUE(find_app(*result.settings, "shop")->connect.empty());
  EXPECT_EQ(find_app(*result.settings, "shop")->server, ServerSettings{});
  EXPECT_EQ(find_app(*result.settings, "legacy")->connect.size(), 1u);
  EXPECT_EQ(find_app(*result.settings, "legacy")->server.protocol, ServerProtocol::uwsgi);
}

TEST(Load, UnknownKeyOfAnIncludedFileNamesThatFile) {
  const ConfigDir dir;
  dir.write("apps.d/shop.yaml",
            "apps:\n"
            "  shop:\n"
            "    command: [/srv/shop/bin/shop]\n"
            "    user: shop\n"
            "    directory: /srv/shop\n"
            "    # how many\n"
            "    worker: 4\n");
  const LoadResult result = dir.load("include: [apps.d/*.yaml]\n");
  // The directory is the test's own; everything behind it is the message.
  ASSERT_EQ(result.errors.size(), 1u);
  EXPECT_EQ(format(result.errors[0]),
            dir.path("apps.d/shop.yaml") +
                ":7:5: apps.shop.worker: unknown key; did you mean \"workers\"?");
}

TEST(Load, DefaultsAreMergedKeyByKeyIntoNestedMaps) {
  const ConfigDir dir;
  const LoadResult result = dir.load(R"(
defaults:
  user: shop
  timeouts: {request: 5s, stall: 6s}
  env: {A: from defaults, B: from defaults}
  env_file: [-/nowhere/one]
  params: {HTTPS: "on", HTTP_X: y}
apps:
  shop:
    command: [/srv/shop/bin/shop]
    timeouts: {stall: 0}
    env: {B: from shop}
    env_file: []
    params: {HTTP_X: null}
  blog: {command: [/srv/shop/bin/shop], user: blog}
  bare:
listeners: []
)");
  EXPECT_THAT(dir.texts(result.errors),
              ElementsAre("main.yaml:16:3: apps.bare: expected one of the keys \"command\" and "
                          "\"connect\""));

  const LoadResult good = dir.load(R"(
defaults: {user: shop, command: [/srv/shop/bin/shop], timeouts: {request: 5s, stall: 6s},
           env: {A: d, B: d}, env_file: [-/nowhere/one], params: {HTTPS: "on", HTTP_X: y}}
apps:
  shop: {timeouts: {stall: 0}, env: {B: s}, env_file: [], params: {HTTP_X: null}}
  bare:
)");
  ASSERT_TRUE(good.settings) << dir.texts(good.errors)[0];
  const AppSettings& shop = good.settings->apps[0];
  EXPECT_EQ(shop.timeouts.request, milliseconds(5000));
  EXPECT_EQ(shop.timeouts.stall, milliseconds(0));
  EXPECT_EQ(shop.timeouts.queue, milliseconds(5000));
  EXPECT_THAT(shop.env, testing::UnorderedElementsAre(std::pair("A", "d"), std::pair("B", "s")));
  EXPECT_THAT(shop.env_file, IsEmpty());
  EXPECT_THAT(shop.params, testing::UnorderedElementsAre(ParamOverride{"HTTPS", "on"},
                                                         ParamOverride{"HTTP_X", std::nullopt}));
  const AppSettings& bare = good.settings->apps[1];
  EXPECT_EQ(bare.timeouts.stall, milliseconds(6000));
  EXPECT_EQ(bare.identity.account.name, "shop");
  EXPECT_EQ(bare.env_file.size(), 1u);
}

TEST(Load, BuffersOfResponsesAreMergedKeyByKey) {
  const ConfigDir dir;
  const LoadResult result = dir.load(R"(
defaults: {user: shop, command: [/srv/shop/bin/shop], buffer_responses: {memory: 1KiB, file: 2KiB}}
apps: {one: {}, two: {buffer_responses: {file: 0}}}
)");
  ASSERT_TRUE(result.settings);
  EXPECT_EQ(AppSettings{}.buffer_responses, (ResponseBuffers{64 << 10, 1 << 30}));
  EXPECT_EQ(result.settings->apps[0].buffer_responses, (ResponseBuffers{1024, 2048}));
  EXPECT_EQ(result.settings->apps[1].buffer_responses, (ResponseBuffers{1024, 0}));
}

TEST(Load, AMistakeInDefaultsIsReportedOnceHoweverManyAppsTakeItOver) {
  const ConfigDir dir;
  const LoadResult result = dir.load(R"(
defaults: {user: shop, command: [/srv/shop/bin/shop], workers: many, limits: {body: x}}
apps: {one: {}, two: {}, three: {}}
)");
  EXPECT_THAT(
      dir.texts(result.errors),
      ElementsAre("main.yaml:2:64: defaults.workers: expected a whole number from 1 to 1024",
                  "main.yaml:2:85: defaults.limits.body: expected a size such as 64KiB or "
                  "16MiB"));
}

TEST(Load, RelativePathsAreAgainstTheirOwnFile) {
  const ConfigDir dir;
  dir.write("apps.d/shop.yaml",
            "apps: {shop: {command: [bin/shop, bin/x], directory: ../shop, user: shop,\n"
            "  env_file: [-env], log: {to: ./shop.log}, slow_log: slow.log, crash_dir: crashes}}\n"
            "listeners: [{address: 'unix:web.sock', app: shop}]\n");
  FakeSystem system;
  system.add_file(dir.path("shop/bin/shop"), S_IFREG | 0755);
  for (const char* log : {"logs/v.log", "apps.d/shop.log", "apps.d/slow.log"})
    system.add_file(dir.path(log), S_IFREG | 0644);
  const LoadResult result = dir.load("include: [apps.d/*.yaml]\nlog: {to: logs/v.log}\n", system);
  ASSERT_TRUE(result.settings) << dir.texts(result.errors)[0];
  const AppSettings& app = result.settings->apps[0];
  EXPECT_EQ(app.directory, dir.path("shop"));
  EXPECT_EQ(app.executable, dir.path("shop/bin/shop"));
  EXPECT_THAT(app.command, ElementsAre("bin/shop", "bin/x"));
  EXPECT_EQ(app.env_file[0].path, dir.path("apps.d/env"));
  EXPECT_EQ(app.log.path, dir.path("apps.d/shop.log"));
  EXPECT_EQ(app.slow_log, dir.path("apps.d/slow.log"));
  EXPECT_EQ(app.crash_dir, dir.path("apps.d/crashes"));
  EXPECT_EQ(result.settings->log.to.path, dir.path("logs/v.log"));
  EXPECT_EQ(format(result.settings->listeners[0].address), "unix:" + dir.path("apps.d/web.sock"));
}

TEST(Load, AnchorsAndAliasesAreOrdinaryYaml) {
  const ConfigDir dir;
  const LoadResult result = dir.load(R"(
apps:
  one: &app {command: &run [/srv/shop/bin/shop], user: shop}
  two: {command: *run, user: blog}
  three: *app
)");
  ASSERT_TRUE(result.settings) << dir.texts(result.errors)[0];
  EXPECT_EQ(result.settings->apps[1].executable, "/srv/shop/bin/shop");
  EXPECT_EQ(result.settings->apps[2].identity.account.name, "shop");
}

TEST(Load, AnAnchorInsideItselfIsRefused) {
  const ConfigDir dir;
  EXPECT_THAT(dir.texts(dir.load("include: &x [*x]\n").errors),
              testing::Contains("main.yaml:1:14: an alias cannot be part of its own anchor"));
}

TEST(Load, ModesAreOctalTextQuotedOrNot) {
  for (const char* mode : {"0640", "640", "\"0640\"", "'640'", "0o640"}) {
    const ConfigDir dir;
    const LoadResult result =
        dir.load("listeners: [{address: unix:/s, app: shop, mode: " + std::string(mode) +
                 "}]\napps: {shop: {command: [/srv/shop/bin/shop], user: shop}}\n");
    ASSERT_TRUE(result.settings) << mode;
    EXPECT_EQ(result.settings->listeners[0].mode, 0640u) << mode;
  }
}

TEST(Load, WorkersAreANumberOrARange) {
  const std::pair<std::string, Workers> rows[] = {
      {"7", {7, 7, 0, milliseconds(60'000)}},
      {"{}", {1, 4, 0, milliseconds(60'000)}},
      {"{min: 0}", {0, 4, 0, milliseconds(60'000)}},
      {"{min: 9}", {9, 9, 0, milliseconds(60'000)}},
      {"{max: 1}", {1, 1, 0, milliseconds(60'000)}},
      {"{min: 2, max: 16, spare: 1, idle: 90s}", {2, 16, 1, milliseconds(90'000)}},
      {"{min: 1024, max: 1024, spare: 1024, idle: 0}", {1024, 1024, 1024, milliseconds(0)}},
  };
  for (const auto& [written, workers] : rows) {
    const ConfigDir dir;
    const LoadResult result = dir.load(
        "apps: {shop: {command: [/srv/shop/bin/shop], user: shop, workers: " + written + "}}\n");
    ASSERT_TRUE(result.settings) << written;
    EXPECT_EQ(result.settings->apps[0].workers, workers) << written;
  }
}

TEST(Load, ANumberOfWorkersReplacesTheRangeOfTheDefaultsAndARangeIsMergedWithIt) {
  const ConfigDir dir;
  const LoadResult result = dir.load(R"(
defaults: {user: shop, command: [/srv/shop/bin/shop], workers: {min: 3, max: 8}}
apps: {a: {workers: 2}, b: {workers: {max: 9}}, c: {}}
)");
  ASSERT_TRUE(result.settings);
  EXPECT_EQ(result.settings->apps[0].workers.max, 2u);
  EXPECT_EQ(result.settings->apps[1].workers, (Workers{3, 9, 0, milliseconds(60'000)}));
  EXPECT_EQ(result.settings->apps[2].workers, (Workers{3, 8, 0, milliseconds(60'000)}));
}

TEST(Load, LimitsThatEndAWorkerAreKept) {
  const ConfigDir dir;
  const LoadResult result = dir.load(
      "apps: {shop: {command: [/srv/shop/bin/shop], user: shop, "
      "limits: {requests: 1000, age: 1h, memory: 1GiB}}}\n");
  ASSERT_TRUE(result.settings);
  const AppLimits& limits = result.settings->apps[0].limits;
  EXPECT_EQ(limits.requests, 1000u);
  EXPECT_EQ(limits.age, std::chrono::hours(1));
  EXPECT_EQ(limits.memory, 1ull << 30);
}

TEST(Load, AMissingMainFileIsOneError) {
  const ConfigDir dir;
  const LoadResult result = load(dir.path("none.yaml"), Purpose::start, FakeSystem());
  EXPECT_FALSE(result.settings);
  EXPECT_THAT(dir.texts(result.errors),
              ElementsAre("none.yaml: No such file or directory (ENOENT)"));
}

TEST(Load, AnEmptyFileServesNothingAndSaysSo) {
  const ConfigDir dir;
  const LoadResult result = dir.load("");
  EXPECT_TRUE(result.settings);
  EXPECT_THAT(dir.texts(result.warnings),
              ElementsAre("no listeners are configured: nothing is served"));
}

TEST(Load, WarnsOfABacklogTheKernelCutsAndOfAnAppNobodyReaches) {
  const ConfigDir dir;
  FakeSystem system;
  system.backlog_limit = 128;
  const LoadResult result = dir.load(R"(
listeners: [{address: unix:/s, app: shop}, {address: unix:/t, app: shop, backlog: 128}]
apps:
  shop: {command: [/srv/shop/bin/shop], user: shop}
  idle: {command: [/srv/shop/bin/shop], user: shop}
)",
                                     system);
  EXPECT_TRUE(result.settings);
  EXPECT_THAT(dir.texts(result.warnings),
              ElementsAre("main.yaml:5:3: apps.idle: no listener leads to this app",
                          "main.yaml:2:13: listeners[0].backlog: 4096 is more than "
                          "net.core.somaxconn, which is 128: that is what the kernel uses"));
}

TEST(Load, RuntimeDirComesFromSystemdThenRootThenTheUser) {
  struct Case {
    std::string own, systemd, xdg, expected;
  };
  for (const Case& c : std::vector<Case>{{"root", "", "", "/run/viaduct"},
                                         {"root", "/run/a:/run/b", "", "/run/a"},
                                         {"shop", "", "/run/user/1001", "/run/user/1001/viaduct"},
                                         {"shop", "/run/a", "/run/user/1001", "/run/a"}}) {
    const ConfigDir dir;
    FakeSystem system;
    system.own = c.own;
    if (!c.systemd.empty()) system.environment_["RUNTIME_DIRECTORY"] = c.systemd;
    if (!c.xdg.empty()) system.environment_["XDG_RUNTIME_DIR"] = c.xdg;
    const LoadResult result = dir.load("", system);
    ASSERT_TRUE(result.settings);
    EXPECT_EQ(result.settings->runtime_dir, c.expected);
    EXPECT_EQ(result.settings->control.address.name, c.expected + "/control.sock");
  }
}

TEST(Load, NoPlaceForTheRuntimeDirIsAnError) {
  const ConfigDir dir;
  FakeSystem system;
  system.own = "shop";
  EXPECT_THAT(dir.texts(dir.load("", system).errors),
              ElementsAre("runtime_dir: expected a directory: neither $RUNTIME_DIRECTORY nor "
                          "$XDG_RUNTIME_DIR is set, and viaductd does not run as root"));
}

TEST(Load, WhetherClientsAreBelievedFollowsFromTheProtocol) {
  using Source = protocol::ForwardedSource;
  struct Row {
    const char* keys;
    Source source;
  };
  for (const Row& row :
       {Row{"protocol: fastcgi", Source::pass}, Row{"protocol: scgi", Source::pass},
        Row{"protocol: uwsgi", Source::pass}, Row{"protocol: http", Source::none},
        Row{"protocol: fastcgi, trusted: [127.0.0.1]", Source::pass},
        Row{"protocol: http, trusted: []", Source::none},
        Row{"protocol: http, trusted: [127.0.0.1], forwarded: none", Source::none},
        Row{"protocol: http, forwarded: pass", Source::pass},
        Row{"protocol: http, trusted: [127.0.0.1], forwarded: forwarded", Source::forwarded},
        Row{"protocol: scgi, trusted: [127.0.0.1], forwarded: x-forwarded-for",
            Source::x_forwarded_for}}) {
    const ConfigDir dir;
    const LoadResult result =
        dir.load("listeners: [{address: tcp:127.0.0.1:8080, app: shop, " + std::string(row.keys) +
                 "}]\napps: {shop: {command: [/srv/shop/bin/shop], user: shop}}\n");
    ASSERT_THAT(dir.texts(result.errors), IsEmpty()) << row.keys;
    EXPECT_EQ(result.settings->listeners[0].forwarded.source, row.source) << row.keys;
  }
}

}  // namespace
}  // namespace viaduct::daemon::config
