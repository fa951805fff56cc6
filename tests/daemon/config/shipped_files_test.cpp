// The configuration files that come with viaduct.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/config/keys.hpp"
#include "daemon/config/keys_isolation.hpp"
#include "daemon/config/text_file.hpp"
#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

LoadResult load_shipped(const std::string& name) {
  FakeSystem system;
  system.add_file("/srv/blog", S_IFDIR | 0755);
  system.add_file("/usr/bin/php-cgi", S_IFREG | 0755);
  for (const char* path : {"/usr/lib", "/usr/lib/viaduct", "/usr/lib/viaduct/examples"})
    system.add_file(path, S_IFDIR | 0755);
  system.add_file("/usr/lib/viaduct/examples/hello", S_IFREG | 0755);
  const std::string directory = std::string(VIADUCT_SOURCE_DIR) + "/conf/";
  for (std::size_t slash = 0; slash != std::string::npos; slash = directory.find('/', slash + 1))
    system.add_file(slash == 0 ? "/" : directory.substr(0, slash), S_IFDIR | 0755);
  return load(directory + name, Purpose::check, system);
}

std::vector<std::string> texts(const std::vector<Diagnostic>& findings) {
  std::vector<std::string> result;
  for (const Diagnostic& finding : findings) result.push_back(format(finding));
  return result;
}

TEST(ShippedFiles, ViaductYamlIsValidAsItStands) {
  const LoadResult result = load_shipped("viaduct.yaml");
  EXPECT_THAT(texts(result.errors), IsEmpty());
  EXPECT_THAT(texts(result.warnings), IsEmpty());
}

TEST(ShippedFiles, MinimalYamlIsValidAsItStands) {
  const LoadResult result = load_shipped("minimal.yaml");
  EXPECT_THAT(texts(result.errors), IsEmpty());
  EXPECT_THAT(texts(result.warnings), IsEmpty());
}

TEST(ShippedFiles, ViaductYamlExplainsEveryKey) {
  const std::string text =
      std::get<std::string>(read_text_file(std::string(VIADUCT_SOURCE_DIR) + "/conf/viaduct.yaml"));
  for (const auto& key : settings_keys()) EXPECT_THAT(text, HasSubstr(std::string(key.name)));
  for (const auto& key : listener_keys()) EXPECT_THAT(text, HasSubstr(std::string(key.name)));
  for (const auto& key : app_keys()) EXPECT_THAT(text, HasSubstr(std::string(key.name)));
  for (const auto& key : isolation_keys())
    EXPECT_THAT(text, HasSubstr(" " + std::string(key.name) + ": "));
}

}  // namespace
}  // namespace viaduct::daemon::config
