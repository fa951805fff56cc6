#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string app(const std::string& name) {
  return "apps: {" + name + ": {command: [/srv/shop/bin/shop], user: shop}}\n";
}

std::vector<std::string> app_names(const LoadResult& result) {
  std::vector<std::string> names;
  if (result.settings)
    for (const AppSettings& one : result.settings->apps) names.push_back(one.name);
  return names;
}

TEST(Include, FilesOfAPatternAreSortedAndPatternsKeepTheirOrder) {
  const ConfigDir dir;
  dir.write("z.d/20.yaml", app("twenty"));
  dir.write("z.d/10.yaml", app("ten"));
  dir.write("z.d/B.yaml", app("upper"));
  dir.write("z.d/a.yaml", app("lower"));
  dir.write("z.d/skipped.conf", "nonsense: [");
  dir.write("a.d/last.yaml", app("last"));
  EXPECT_THAT(app_names(dir.load("include: [z.d/*.yaml, a.d/*]\n" + app("main"))),
              ElementsAre("main", "ten", "twenty", "upper", "lower", "last"));
}

TEST(Include, PatternsMayMatchNothing) {
  const ConfigDir dir;
  dir.write("empty/x", "");
  EXPECT_TRUE(dir.load("include: [none.d/*.yaml, empty/*.yaml]\n").settings);
  EXPECT_TRUE(dir.load("include: []\n").settings);
  EXPECT_TRUE(dir.load("include:\n").settings);
}

TEST(Include, IncludedFilesHoldOnlyListenersAndApps) {
  const ConfigDir dir;
  dir.write("a.yaml", "log: {level: debug}\ninclude: [b.yaml]\ndefaults: {}\nlogs: 1\n");
  const std::string reason =
      ": only allowed in the main file; included files hold \"listeners\" and \"apps\"";
  EXPECT_THAT(dir.texts(dir.load("include: [a.yaml]\n").errors),
              ElementsAre("a.yaml:1:6: log" + reason, "a.yaml:2:10: include" + reason,
                          "a.yaml:3:11: defaults" + reason,
                          "a.yaml:4:1: logs: unknown key; did you mean \"log\"?"));
}

TEST(Include, NamesAndAddressesAreUniqueAcrossFiles) {
  const ConfigDir dir;
  dir.write("a.yaml", app("shop") + "listeners: [{address: unix:/s, app: shop}]\n");
  dir.write("b.yaml", "listeners:\n  - {address: unix:/s, app: shop}\n" + app("shop"));
  EXPECT_THAT(dir.texts(dir.load("include: [a.yaml, b.yaml]\n").errors),
              ElementsAre("b.yaml:3:8: apps.shop: duplicate key; it was first set at a.yaml:1:8",
                          "b.yaml:2:15: listeners[1].address: unix:/s is already the address of "
                          "listeners[0].address at a.yaml:2:23"));
}

TEST(Include, DefaultsOfTheMainFileReachIncludedApps) {
  const ConfigDir dir;
  dir.write("a.yaml", "apps: {shop: }\n");
  const LoadResult result =
      dir.load("include: [a.yaml]\ndefaults: {command: [/srv/shop/bin/shop], user: shop}\n");
  EXPECT_THAT(app_names(result), ElementsAre("shop"));
}

TEST(Include, AFileIsReadOnce) {
  const ConfigDir dir;
  dir.write("a.yaml", app("shop"));
  EXPECT_THAT(dir.texts(dir.load("include: [a.yaml, '*.yaml']\n").errors),
              ElementsAre("main.yaml:1:19: include[1]: a.yaml is part of the configuration already",
                          "main.yaml:1:19: include[1]: main.yaml is part of the configuration "
                          "already"));
}

TEST(Include, SyntaxErrorsNameTheIncludedFile) {
  const ConfigDir dir;
  dir.write("a.yaml", "apps:\n  shop: {command: [x\n");
  EXPECT_THAT(dir.texts(dir.load("include: [a.yaml]\n").errors),
              ElementsAre("a.yaml:3:1: YAML: end of sequence flow not found"));
}

TEST(Include, DirectoriesAreNoFiles) {
  const ConfigDir dir;
  dir.write("a.yaml/x", "");
  EXPECT_THAT(dir.texts(dir.load("include: [a.yaml]\n").errors),
              ElementsAre("a.yaml: Is a directory (EISDIR)"));
}

TEST(Include, FilesHaveAtMostOneMebibyte) {
  const std::string text = "apps: {}\n#";
  for (const int excess : {-1, 0, 1}) {
    const ConfigDir dir;
    const auto size = static_cast<std::size_t>((1 << 20) + excess);
    dir.write("a.yaml", text + std::string(size - text.size(), '.'));
    const auto errors = dir.texts(dir.load("include: [a.yaml]\n").errors);
    if (excess <= 0)
      EXPECT_THAT(errors, IsEmpty()) << excess;
    else
      EXPECT_THAT(errors, ElementsAre("a.yaml: File too large (EFBIG): at most 1 MiB is read"));
  }
}

TEST(Include, AtMost1024FilesAreIncluded) {
  const ConfigDir dir;
  for (int index = 0; index < 1024; ++index) dir.write("d/" + std::to_string(1000 + index), "");
  EXPECT_TRUE(dir.load("include: [d/*]\n").settings);
  dir.write("d/9999", "");
  EXPECT_THAT(dir.texts(dir.load("include: [d/*]\n").errors),
              ElementsAre("main.yaml:1:11: include[0]: at most 1024 files can be included"));
}

}  // namespace
}  // namespace viaduct::daemon::config
