#include "daemon/config/dump.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/config/bridge_settings.hpp"
#include "daemon/config/worker_changes.hpp"
#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kRich = R"(
include: [apps.d/*.yaml]
log: {level: debug}
access_log: {to: journal, sample: 0.25}
bridge: {threads: 2, groups: [www-data]}
defaults: {user: shop, timeouts: {request: 90s}}
listeners:
  - {address: systemd:web, app: shop, protocol: scgi}
  - address: tcp:0.0.0.0:9000
    allow: [10.0.0.0/8, "fd00::/8"]
    trusted: [10.0.0.5]
    forwarded: x-forwarded-for
    forwarded_proto: true
    routes: [{path: /a/, mount: true, app: shop, limit: 9}, {exact: /a/, host: "*.A.test", methods: [GET, PUT], header: "X-B=c: d", app: shop}]
    default: shop
apps:
  shop:
    command: [/srv/shop/bin/shop, "--greeting=hello, world", "", "on"]
    env: {EMPTY: "", MULTI: "a\nb", SHARP: "#x"}
    env_file: [-/nowhere/env, secrets]
    params: {HTTPS: "on", HTTP_X: null}
    concurrency: {limit: 3}
    groups: []
    umask: 0077
    workers: {min: 0, max: 16, idle: 90s}
    limits: {requests: 1000, age: 1h, memory: 1GiB}
    stop_signal: SIGQUIT
    log: {to: /var/log/shop.log}
  old:
    connect: [unix:/run/old.sock, "tcp:[::1]:9000"]
    concurrency: {limit: 4}
    keepalive: true
    health: {interval: 5s}
)";

class Dump : public testing::Test {
 protected:
  Dump() {
    dir_.write("secrets", "PASSWORD=hunter2\n");
    dir_.write("apps.d/blog.yaml", "apps:\n  blog: {command: [/srv/shop/bin/shop], workers: 7}\n");
    LoadResult result = dir_.load(kRich);
    EXPECT_THAT(dir_.texts(result.errors), IsEmpty());
    if (result.settings) settings_ = std::move(*result.settings);
  }
  std::string text() const { return dir_.relative(dump(settings_)); }

  ConfigDir dir_;
  Settings settings_;
};

TEST_F(Dump, NamesFileAndLineOfEachValueOrDefault) {
  const std::string dumped = text();
  EXPECT_THAT(dumped,
              HasSubstr("log:\n  level: debug  # main.yaml:3\n  format: text  # default\n"));
  EXPECT_THAT(dumped, HasSubstr("  sample: 0.25  # main.yaml:4\n"));
  EXPECT_THAT(dumped, HasSubstr("listeners:\n  - protocol: scgi  # main.yaml:8\n"
                                "    address: systemd:web  # main.yaml:8\n"));
  EXPECT_THAT(dumped, HasSubstr("    forwarded: pass  # default\n"));
  EXPECT_THAT(dumped, HasSubstr("    buffer_responses:\n      memory: 64KiB  # default\n"
                                "      file: 1GiB  # default\n"));
  EXPECT_THAT(dumped, HasSubstr("    trusted: [\"10.0.0.5\"]  # main.yaml:11\n"
                                "    proxy_protocol: false  # default\n"
                                "    forwarded: x-forwarded-for  # main.yaml:12\n"
                                "    forwarded_host: false  # default\n"
                                "    forwarded_proto: true  # main.yaml:13\n"
                                "    forwarded_port: false  # default\n"));
  EXPECT_THAT(dumped, HasSubstr("    routes:\n      - path: /a  # main.yaml:14\n"
                                "        mount: true  # main.yaml:14\n"
                                "        app: shop  # main.yaml:14\n"
                                "        priority: normal  # default\n"
                                "        limit: 9  # main.yaml:14\n"
                                "      - host: \"*.a.test\"  # main.yaml:14\n"
                                "        exact: /a/  # main.yaml:14\n"
                                "        methods: [GET, PUT]  # main.yaml:14\n"
                                "        header: \"X-B=c: d\"  # main.yaml:14\n"
                                "        mount: false  # default\n"));
  EXPECT_THAT(dumped, HasSubstr("    default: shop  # main.yaml:15\n"));
  EXPECT_THAT(dumped, HasSubstr("    user: shop  # main.yaml:6\n"));
  EXPECT_THAT(dumped, HasSubstr("      request: 90s  # main.yaml:6\n      stall: 1m  # default\n"
                                "      body: 1m  # default\n      send: 1m  # default\n"));
  EXPECT_THAT(dumped, HasSubstr("    workers: 7  # apps.d/blog.yaml:2\n"));
  EXPECT_THAT(dumped, HasSubstr("    umask: \"0077\"  # main.yaml:24\n"));
  EXPECT_THAT(dumped, HasSubstr("    workers:\n      min: 0  # main.yaml:25\n"
                                "      max: 16  # main.yaml:25\n      spare: 0  # default\n"
                                "      idle: 90s  # main.yaml:25\n"));
  EXPECT_THAT(dumped, HasSubstr("      memory: 1GiB  # main.yaml:26\n"));
  EXPECT_THAT(dumped, HasSubstr("      HTTP_X: null  # main.yaml:21\n"));
  EXPECT_THAT(dumped, HasSubstr("    connect: [unix:/run/old.sock, \"tcp:[::1]:9000\"]  "
                                "# main.yaml:30\n"));
  EXPECT_THAT(dumped, HasSubstr("    protocol: fastcgi  # default\n"
                                "    keepalive: true  # main.yaml:32\n"
                                "    multiplex: never  # default\n"
                                "    health:\n      interval: 5s  # main.yaml:33\n"
                                "      fail: 3  # default\n      pass: 2  # default\n"));
}

TEST_F(Dump, OddNamesAreShownWhereTheDaemonMakesTheVariables) {
  const LoadResult result = dir_.load(R"(
listeners:
  - {address: unix:/run/a.sock, app: shop}
  - {address: unix:/run/b.sock, app: shop, protocol: http, odd_names: keep}
apps:
  shop: {command: [/srv/shop/bin/shop], user: shop}
)");
  ASSERT_THAT(dir_.texts(result.errors), IsEmpty());
  const std::string dumped = dir_.relative(dump(*result.settings));
  EXPECT_THAT(dumped, HasSubstr("    odd_names: keep  # main.yaml:4\n"));
  EXPECT_EQ(dumped.find("odd_names"), dumped.rfind("odd_names"));
}

TEST_F(Dump, SecretsOfEnvFilesStayInThem) {
  EXPECT_EQ(settings_.apps[0].env_file_values, (NamedValues{{"PASSWORD", "hunter2"}}));
  EXPECT_THAT(text(), Not(HasSubstr("hunter2")));
  EXPECT_THAT(text(), HasSubstr("env_file: [\"-/nowhere/env\", secrets]"));
}

TEST_F(Dump, ValuesOfTheEnvironmentAreMasked) {
  EXPECT_EQ(settings_.apps[0].env.size(), 3u);
  EXPECT_THAT(text(), HasSubstr("    env:\n      EMPTY: \"***\"  # main.yaml:19\n"
                                "      MULTI: \"***\"  # main.yaml:19\n"
                                "      SHARP: \"***\"  # main.yaml:19\n"));
  EXPECT_THAT(text(), Not(HasSubstr("#x")));
}

TEST_F(Dump, IsAConfigurationThatMeansTheSame) {
  const ConfigDir other;
  settings_.apps[0].env = {{"EMPTY", "***"}};  // as it is printed
  const LoadResult again = other.load(dump(settings_));
  ASSERT_THAT(other.texts(again.errors), IsEmpty()) << dump(settings_);
  EXPECT_EQ(bridge_settings(*again.settings), bridge_settings(settings_));
  ASSERT_EQ(again.settings->apps.size(), settings_.apps.size());
  for (std::size_t index = 0; index < settings_.apps.size(); ++index) {
    const AppSettings& before = settings_.apps[index];
    const AppSettings& after = again.settings->apps[index];
    EXPECT_THAT(worker_changes(before, after), IsEmpty());
    EXPECT_EQ(before.workers, after.workers);
    EXPECT_EQ(before.limits, after.limits);
    EXPECT_EQ(before.env, after.env);
    EXPECT_EQ(before.identity, after.identity);
    EXPECT_EQ(before.connect, after.connect);
    EXPECT_EQ(before.server, after.server);
  }
  for (std::size_t index = 0; index < settings_.listeners.size(); ++index) {
    EXPECT_EQ(settings_.listeners[index].mode, again.settings->listeners[index].mode);
    EXPECT_EQ(settings_.listeners[index].backlog, again.settings->listeners[index].backlog);
  }
  EXPECT_EQ(again.settings->control, settings_.control);
  EXPECT_EQ(again.settings->runtime_dir, settings_.runtime_dir);
}

}  // namespace
}  // namespace viaduct::daemon::config
