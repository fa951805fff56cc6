#include "daemon/config/worker_changes.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::daemon::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

AppSettings shop() {
  AppSettings app;
  app.name = "shop";
  app.command = {"./bin/shop", "--verbose"};
  app.executable = "/srv/shop/bin/shop";
  app.command_file = CommandFile{1, 2, 3, 4};
  app.directory = "/srv/shop";
  app.env = {{"A", "1"}, {"B", "2"}};
  app.env_file = {{"/etc/shop/env", false}};
  app.env_file_values = {{"B", "3"}};
  app.identity.user = "shop";
  app.identity.account = {1001, 1001, {33}, "shop", "/home/shop", "/bin/sh"};
  app.params = {{"HTTPS", "on"}};
  return app;
}

using Edit = std::function<void(AppSettings&)>;

std::vector<std::string_view> changes_after(const Edit& edit) {
  AppSettings after = shop();
  edit(after);
  return worker_changes(shop(), after);
}

TEST(WorkerChanges, EachWorkerSideKeyIsNamed) {
  const std::vector<std::pair<std::string_view, Edit>> edits = {
      {"connect",
       [](auto& app) {
         app.connect.push_back({Address::Kind::unix_path, "/x", 0});
       }},
      {"protocol", [](auto& app) { app.server.protocol = ServerProtocol::uwsgi; }},
      {"command", [](auto& app) { app.command.push_back("-x"); }},
      {"command", [](auto& app) { app.executable = "/usr/bin/shop"; }},
      {"binary", [](auto& app) { app.command_file->device = 9; }},
      {"binary", [](auto& app) { app.command_file->inode = 9; }},
      {"binary", [](auto& app) { app.command_file->size = 9; }},
      {"binary", [](auto& app) { app.command_file->mtime_ns = 9; }},
      {"binary", [](auto& app) { app.command_file.reset(); }},
      {"directory", [](auto& app) { app.directory = "/srv"; }},
      {"env", [](auto& app) { app.env.pop_back(), app.env.pop_back(); }},
      {"env",
       [](auto& app) {
         app.env_file_values = {{"B", "4"}};
       }},
      {"clear_env", [](auto& app) { app.clear_env = false; }},
      {"user", [](auto& app) { app.identity.account.uid = 7; }},
      {"user", [](auto& app) { app.identity.account.gid = 7; }},
      {"user", [](auto& app) { app.identity.account.groups.clear(); }},
      {"user", [](auto& app) { app.identity.account.home = "/"; }},
      {"umask", [](auto& app) { app.umask = 0077; }},
      {"isolation", [](auto& app) { app.isolation.nice = 5; }},
      {"isolation", [](auto& app) { app.isolation.no_new_privs = false; }},
      {"isolation", [](auto& app) { app.isolation.capabilities.emplace(); }},
      {"concurrency", [](auto& app) { app.concurrency.limit = 9; }},
      {"concurrency", [](auto& app) { app.concurrency.model = ConcurrencyModel::fibers; }},
      {"probe", [](auto& app) { app.probe = false; }},
      {"stop_signal", [](auto& app) { app.stop_signal = SIGQUIT; }},
      {"send_file", [](auto& app) { app.send_file = SendFile::x_sendfile; }},
  };
  for (const auto& [name, edit] : edits) EXPECT_THAT(changes_after(edit), ElementsAre(name));
}

TEST(WorkerChanges, EverythingElseKeepsTheWorkers) {
  const std::vector<Edit> edits = {
      [](auto&) {},
      [](auto& app) {
        app.workers = {1, 9};
      },
      [](auto& app) {
        app.timeouts = {}, app.timeouts.start = app.timeouts.stop = milliseconds(1);
      },
      [](auto& app) { app.limits.queue = 1; },
      [](auto& app) { app.retry = Retry::never; },
      [](auto& app) { app.params.clear(); },
      [](auto& app) {
        app.log = {LogTarget::Kind::syslog, {}};
      },
      [](auto& app) { app.slow_log = "/var/log/slow"; },
      [](auto& app) { app.crash_dir = "/var/crash"; },
      [](auto& app) { app.allow_root = true; },
      [](auto& app) { app.isolation.optional = true; },
      [](auto& app) { app.identity.group = "1001"; },  // the same account, spelled out
  };
  for (std::size_t index = 0; index < edits.size(); ++index)
    EXPECT_THAT(changes_after(edits[index]), IsEmpty()) << index;
}

TEST(WorkerChanges, OnlyTheOutcomeOfTheEnvironmentCounts) {
  EXPECT_THAT(changes_after([](auto& app) {
                app.env = {{"A", "1"}, {"B", "3"}};
                app.env_file.clear();
                app.env_file_values.clear();
              }),
              IsEmpty());
  EXPECT_THAT(changes_after([](auto& app) { app.env = {{"B", "0"}, {"A", "1"}}; }), IsEmpty());
}

TEST(WorkerChanges, SeveralAreNamedInOrder) {
  EXPECT_THAT(changes_after([](auto& app) {
                app.umask = 0;
                app.env.clear();
                app.command_file->size = 0;
              }),
              ElementsAre("binary", "env", "umask"));
}

}  // namespace
}  // namespace viaduct::daemon::config
