#include "daemon/config/changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// The parts of a configuration, each of which a test replaces.
struct Text {
  std::string global{};
  std::string listeners = "{address: unix:/run/a, app: shop}, {address: unix:/run/b, app: blog}";
  std::string shop{};
  std::string blog{};
};

Settings settings_of(const Text& text) {
  const ConfigDir dir;
  const std::string command = "{command: [/srv/shop/bin/shop], directory: /srv, user: ";
  auto loaded =
      dir.load(text.global + "listeners: [" + text.listeners + "]\napps:\n  shop: " + command +
               "shop" + text.shop + "}\n  blog: " + command + "blog" + text.blog + "}\n");
  EXPECT_TRUE(loaded.settings) << text.global;
  return loaded.settings.value_or(Settings{});
}

Changes changed_to(const Text& after, const Text& before = {}) {
  return changes(settings_of(before), settings_of(after));
}

TEST(Changes, NothingOfTheSameConfigurationWrittenElsewhere) {
  const Changes none = changed_to({.global = "# a line\n\nlog: {level: info}\n"});
  EXPECT_THAT(none.global, IsEmpty());
  EXPECT_THAT(none.apps, IsEmpty());
  EXPECT_THAT(none.listeners, IsEmpty());
  EXPECT_THAT(none.added_listeners, IsEmpty());
  EXPECT_THAT(none.removed_listeners, IsEmpty());
}

TEST(Changes, OfTheWholeAreNamedByPartAndKey) {
  const Changes some = changed_to({.global = "log: {level: debug, format: json}\n"
                                             "bridge: {threads: 3}\n"
                                             "runtime_dir: /run/user/1\n"
                                             "limits: {memory: 1GiB}\n"});
  EXPECT_THAT(
      some.global,
      ElementsAre(Pair("bridge", ElementsAre("threads")), Pair("control", ElementsAre("address")),
                  Pair("limits", ElementsAre("memory")),
                  Pair("log", ElementsAre("format", "level")), Pair("runtime_dir", IsEmpty())));
  EXPECT_THAT(some.apps, IsEmpty());
}

TEST(Changes, OfAppsAreNamedByKeyAndNotByValue) {
  const Changes some = changed_to({.shop = ", timeouts: {request: 5s, stall: 7s}, workers: 9, "
                                           "params: {A: b}"});
  EXPECT_THAT(some.apps, ElementsAre(Pair("shop", ElementsAre("params", "timeouts", "workers"))));
  EXPECT_THAT(changed_to({}, {.blog = ", limits: {queue: 3}"}).apps,
              ElementsAre(Pair("blog", ElementsAre("limits"))))
      << "what is back at its default";
  EXPECT_THAT(changed_to({.global = "defaults: {limits: {queue: 3}}\n"}).apps.size(), 2u);
  EXPECT_THAT(changed_to({.global = "defaults: {limits: {queue: 3}}\n"}).global, IsEmpty());
}

TEST(Changes, OfListenersAreNamedByAddressWhateverTheirOrder) {
  const Changes swapped = changed_to(
      {.listeners = "{address: unix:/run/b, app: blog}, {address: unix:/run/a, app: shop}"});
  EXPECT_THAT(swapped.listeners, IsEmpty());

  const Changes some = changed_to(
      {.listeners = "{address: unix:/run/c, app: blog}, {address: unix:/run/a, mode: 600, "
                    "routes: [{path: /, app: shop}, {path: /x, app: blog}]}"});
  EXPECT_THAT(some.listeners, ElementsAre(Pair("unix:/run/a", testing::Contains("mode"))));
  EXPECT_THAT(some.listeners, ElementsAre(Pair("unix:/run/a", testing::Contains("routes"))));
  EXPECT_THAT(some.added_listeners, ElementsAre("unix:/run/c"));
  EXPECT_THAT(some.removed_listeners, ElementsAre("unix:/run/b"));
}

}  // namespace
}  // namespace viaduct::daemon::config
