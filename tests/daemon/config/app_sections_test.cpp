#include "daemon/config/app_sections.hpp"

#include <gmock/gmock.h>

#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kShop = "  shop: {command: [/srv/shop/bin/shop], user: shop, workers: ";
constexpr const char* kBlog = "  blog: {command: [/srv/shop/bin/shop], user: blog, workers: ";

std::string file(const std::string& shop, const std::string& blog, const std::string& rest = "") {
  return "apps:\n" + (shop.empty() ? "" : kShop + shop + "}\n") +
         (blog.empty() ? "" : kBlog + blog + "}\n") +
         "listeners: [{protocol: fastcgi, address: unix:/run/web.sock, app: blog}]\n" + rest;
}

class AppSectionsTest : public testing::Test {
 protected:
  LoadResult read(const std::string& text) { return dir.load(text, FakeSystem(), Purpose::reload); }
  Settings settings(const std::string& text) {
    LoadResult result = read(text);
    EXPECT_TRUE(result.settings) << testing::PrintToString(dir.texts(result.errors));
    return result.settings ? *result.settings : Settings{};
  }
  static std::uint32_t workers(const LoadResult& result, const std::string& app) {
    return find_app(*result.settings, app)->workers.max;
  }

  ConfigDir dir;
};

TEST_F(AppSectionsTest, SectionComesWithItsOrigins) {
  Settings running = settings(file("2", "3"));
  const Settings next = settings("limits: {connections: 7}\n\n" + file("4, umask: 077", "5"));
  put_app(running, next, "shop");
  EXPECT_EQ(find_app(running, "shop")->workers.max, 4u);
  EXPECT_EQ(find_app(running, "blog")->workers.max, 3u);
  EXPECT_NE(running.limits.connections, 7u);
  EXPECT_EQ(running.origins.at("apps.shop").line, 4);
  EXPECT_EQ(running.origins.at("apps.shop.umask").line, 4);
  EXPECT_EQ(running.origins.at("apps.blog").line, 3);
  put_app(running, settings(file("2", "3")), "shop");
  EXPECT_FALSE(running.origins.contains("apps.shop.umask"));
}

TEST_F(AppSectionsTest, AppWhoseNameBeginsLikeAnotherIsAnother) {
  EXPECT_EQ(app_of_path("apps.shop"), "shop");
  EXPECT_EQ(app_of_path("apps.shop-2.env[0]"), "shop-2");
  EXPECT_EQ(app_of_path("apps"), "");
  EXPECT_EQ(app_of_path("listeners[0].app"), "");
  EXPECT_EQ(app_of_path("defaults.workers"), "");
}

TEST_F(AppSectionsTest, OnlyOneAppIsTakenFromTheFile) {
  const Settings running = settings(file("2", "3"));
  const LoadResult result =
      only_app(read(file("4", "5", "limits: {connections: 7}\n")), running, "shop");
  ASSERT_TRUE(result.settings);
  EXPECT_EQ(workers(result, "shop"), 4u);
  EXPECT_EQ(workers(result, "blog"), 3u);
  EXPECT_EQ(result.settings->limits.connections, running.limits.connections);
}

TEST_F(AppSectionsTest, OneAppNeedsNoFaultlessFile) {
  struct Row {
    const char* shop;
    const char* blog;
    const char* rest;
    bool applied;
  };
  const Settings running = settings(file("2", "3"));
  const Row rows[] = {
      {"4", "nonsense", "", true},
      {"4", "5, env_file: /missing", "", true},
      {"4", "5, worker: 1", "", true},
      {"nonsense", "5", "", false},
      {"4, env_file: /missing", "5", "", false},
      {"4, worker: 1", "5", "", false},
      {"4", "5", "defaults: {worker: 1}\n", false},
      {"4", "5", "limit: {}\n", false},
      {"4", "5", "include: [missing.yaml]\n", false},
      {"4", "5", "}", false},
  };
  for (const Row& row : rows) {
    const LoadResult result = only_app(read(file(row.shop, row.blog, row.rest)), running, "shop");
    EXPECT_EQ(result.settings.has_value(), row.applied) << row.shop << row.blog << row.rest;
    EXPECT_EQ(result.errors.empty(), row.applied) << row.shop << row.blog << row.rest;
    if (row.applied) {
      EXPECT_EQ(workers(result, "shop"), 4u);
    }
  }
}

TEST_F(AppSectionsTest, ErrorsThatDoNotMatterAreWarnings) {
  const Settings running = settings(file("2", "3"));
  const LoadResult result = only_app(read(file("4", "5, worker: 1")), running, "shop");
  EXPECT_THAT(dir.texts(result.warnings),
              testing::Contains(testing::AllOf(testing::HasSubstr("apps.blog.worker: unknown key"),
                                               testing::HasSubstr("not applied by this reload"))));
}

TEST_F(AppSectionsTest, AnAppMayComeAndNotGo) {
  const Settings running = settings(file("", "3"));
  const LoadResult added = only_app(read(file("4", "5")), running, "shop");
  ASSERT_TRUE(added.settings);
  EXPECT_EQ(added.settings->apps.size(), 2u);
  const LoadResult gone = only_app(read(file("", "3")), settings(file("2", "3")), "shop");
  EXPECT_FALSE(gone.settings);
  EXPECT_THAT(dir.texts(gone.errors),
              ElementsAre("apps.shop: not in the file; a reload of all removes it"));
  EXPECT_THAT(dir.texts(only_app(read(file("", "3")), running, "shop").errors),
              ElementsAre("apps.shop: neither in force nor in the file"));
}

TEST_F(AppSectionsTest, BrokenAppsKeepTheirSections) {
  const Settings running = settings(file("2", "3"));
  const Mended mended =
      keep_broken_apps(read(file("4, worker: 1", "5", "limits: {connections: 7}\n")), running);
  ASSERT_TRUE(mended.result.settings);
  EXPECT_THAT(mended.result.errors, IsEmpty());
  EXPECT_EQ(workers(mended.result, "shop"), 2u);
  EXPECT_EQ(workers(mended.result, "blog"), 5u);
  EXPECT_EQ(mended.result.settings->limits.connections, 7u);
  ASSERT_EQ(mended.broken.size(), 1u);
  EXPECT_EQ(mended.broken[0].app, "shop");
  EXPECT_THAT(dir.texts(mended.broken[0].errors),
              ElementsAre(testing::HasSubstr("apps.shop.worker: unknown key")));
}

TEST_F(AppSectionsTest, CommandThatCannotBeRunIsAnErrorOfItsApp) {
  const Settings running = settings(file("2", "3"));
  std::string text = file("4", "5");
  text.replace(text.find("/srv/shop/bin/shop"), 18, "/srv/shop/bin/none");
  const Mended mended = keep_broken_apps(read(text), running);
  ASSERT_TRUE(mended.result.settings);
  EXPECT_EQ(find_app(*mended.result.settings, "shop")->executable, "/srv/shop/bin/shop");
  ASSERT_EQ(mended.broken.size(), 1u);
  EXPECT_EQ(mended.broken[0].app, "shop");
}

// The report says an error at one place of `defaults` once; each app that takes it over has it.
TEST_F(AppSectionsTest, ErrorOfSeveralAppsConcernsEach) {
  const auto apps = [](const std::string& defaults) {
    return "defaults: {workers: " + defaults + "}\napps:\n" +
           "  shop: {command: [/srv/shop/bin/shop], user: shop}\n"
           "  blog: {command: [/srv/shop/bin/shop], user: blog}\n";
  };
  const Settings running = settings(apps("2"));
  const Mended mended = keep_broken_apps(read(apps("{min: 9, max: 4}")), running);
  ASSERT_TRUE(mended.result.settings);
  EXPECT_EQ(mended.broken.size(), 2u);
  EXPECT_EQ(workers(mended.result, "shop"), 2u);
  EXPECT_EQ(workers(mended.result, "blog"), 2u);
  for (const char* app : {"shop", "blog"}) {
    EXPECT_THAT(only_app(read(apps("{min: 9, max: 4}")), running, app).errors, testing::SizeIs(1))
        << app;
  }
}

TEST_F(AppSectionsTest, ErrorsOutsideTheAppsThatRunStayErrors) {
  const Settings running = settings(file("", "3"));
  for (const std::string& text :
       {file("4, worker: 1", "5"), file("", "5", "limit: {}\n"), file("", "5", "}"),
        file("", "5, worker: 1", "include: [missing.yaml]\n")}) {
    const Mended mended = keep_broken_apps(read(text), running);
    EXPECT_FALSE(mended.result.settings) << text;
    EXPECT_FALSE(mended.result.errors.empty()) << text;
    EXPECT_THAT(mended.broken, IsEmpty()) << text;
  }
}

}  // namespace
}  // namespace viaduct::daemon::config
