// A private directory of configuration files, removed at the end of the test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/load.hpp"
#include "tests/daemon/config/fake_system.hpp"

namespace viaduct::daemon::config {

class ConfigDir {
 public:
  ConfigDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "viaduct-XXXXXX").string();
    if (!mkdtemp(pattern.data())) std::abort();
    path_ = pattern;
  }
  ~ConfigDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ConfigDir(const ConfigDir&) = delete;
  ConfigDir& operator=(const ConfigDir&) = delete;

  std::string path(std::string_view name = "main.yaml") const {
    return path_ + '/' + std::string(name);
  }

  void write(std::string_view name, std::string_view text) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
  }

  LoadResult load(std::string_view main, const System& system = FakeSystem(),
                  Purpose purpose = Purpose::check) const {
    write("main.yaml", main);
    return config::load(path(), purpose, system);
  }

  // Formatted, with this directory's name taken out: "main.yaml:1:5: ...".
  std::vector<std::string> texts(const std::vector<Diagnostic>& findings) const {
    std::vector<std::string> result;
    for (const Diagnostic& finding : findings) result.push_back(relative(format(finding)));
    return result;
  }

  std::string relative(std::string text) const {
    const std::string prefix = path_ + '/';
    for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
      text.erase(at, prefix.size());
    return text;
  }

 private:
  std::string path_;
};

}  // namespace viaduct::daemon::config
