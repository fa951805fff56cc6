#include "daemon/config/descriptor_need.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/config/bridge_settings.hpp"
#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kApp =
    "listeners: [{address: unix:/run/s, app: shop}]\n"
    "apps: {shop: {command: [/srv/shop/bin/shop], user: shop, workers: {min: 1, max: 6}}}\n";

Settings settings_of(const std::string& text) {
  const ConfigDir dir;
  auto loaded = dir.load(text);
  EXPECT_TRUE(loaded.settings) << text;
  return loaded.settings.value_or(Settings{});
}

TEST(DescriptorNeed, GrowsWithEachThingThatHasDescriptors) {
  const DescriptorNeed need = descriptor_need(settings_of(kApp));
  EXPECT_EQ(need.connections, 16384u);
  EXPECT_EQ(need.files, 2 * 16384u);
  EXPECT_EQ(need.links, 12u) << "those of two generations";
  EXPECT_EQ(need.total(), need.connections + need.files + need.links + need.threads + need.others);

  const auto of = [](const std::string& more) { return descriptor_need(settings_of(kApp + more)); };
  EXPECT_EQ(of("limits: {connections: 100}").total(), need.total() - 3 * (16384 - 100));
  const DescriptorNeed threaded = of("bridge: {threads: 4}");
  EXPECT_EQ(threaded.links, 4 * need.links);
  EXPECT_EQ(threaded.threads, 4 * need.threads);
}

TEST(DescriptorNeed, ServersOfOthersTakeAConnectionForEachRequest) {
  const auto links = [](const std::string& keys) {
    return descriptor_need(settings_of("listeners: [{address: unix:/run/s, app: shop}]\n"
                                       "apps: {shop: {connect: [unix:/run/a, unix:/run/b]" +
                                       keys + "}}\n"))
        .links;
  };
  EXPECT_EQ(links(", concurrency: {limit: 30}"), 60u);
  EXPECT_EQ(links(""), 2 * kServerConcurrency) << "as many as the bridge opens";
}

TEST(DescriptorNeed, OfTheMasterGrowsWithWorkersAndNotWithConnections) {
  const Settings few = settings_of(kApp);
  Settings many = few;
  many.apps[0].workers.max += 10;
  EXPECT_GE(descriptors_of_master(many), descriptors_of_master(few) + 20);
  many = few;
  many.limits.connections *= 2;
  EXPECT_EQ(descriptors_of_master(many), descriptors_of_master(few));
}

TEST(DescriptorNeed, BeyondTheHardLimitIsWarnedOfAtTheStartAndByCheck) {
  const ConfigDir dir;
  const auto warnings = [&](const std::string& more, std::uint64_t most, Purpose purpose) {
    FakeSystem system;
    system.descriptor_limit = most;
    const auto loaded = dir.load(kApp + more, system, purpose);
    EXPECT_TRUE(loaded.settings);
    return dir.texts(loaded.warnings);
  };
  const std::uint64_t need = descriptor_need(settings_of(kApp)).total();
  const auto connections =
      HasSubstr("limits.connections: the bridge needs up to " + std::to_string(need) +
                " descriptors: 16384 for connections, "
                "32768 for files of requests and responses, ");
  for (const Purpose purpose : {Purpose::check, Purpose::start}) {
    EXPECT_THAT(warnings("", need, purpose), Not(Contains(HasSubstr("descriptors"))));
    EXPECT_THAT(warnings("", need - 1, purpose), Contains(connections));
    EXPECT_THAT(warnings("bridge: {threads: 256}\n", 1024, purpose),
                Contains(testing::AllOf(HasSubstr("main.yaml:3:19: bridge.threads: the bridge"),
                                        HasSubstr("it may have 1024 (LimitNOFILE="))));
  }
  EXPECT_THAT(warnings("", 1024, Purpose::reload), Not(Contains(HasSubstr("descriptors"))));
}

}  // namespace
}  // namespace viaduct::daemon::config
