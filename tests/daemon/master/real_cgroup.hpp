#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "daemon/config/cgroup_place.hpp"
#include "daemon/master/process.hpp"

namespace viaduct::daemon::master {

inline config::CgroupPlace place_at(const std::string& directory) {
  config::CgroupPlace place;
  place.directory = directory;
  return place;
}

inline std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// A real cgroup below the one of this process.
class RealCgroupTest : public testing::Test {
 protected:
  void SetUp() override {
    const config::CgroupPlace own = config::find_cgroup_place();
    if (!own.problem.empty()) GTEST_SKIP() << own.problem;
    const std::string path = own.directory + "/viaduct-test-" + std::to_string(::getpid());
    if (::mkdir(path.c_str(), 0755) != 0) GTEST_SKIP() << path << ": errno " << errno;
    directory_ = path;
  }

  void TearDown() override {
    if (directory_.empty()) return;
    for (const auto& entry : std::filesystem::directory_iterator(directory_))
      if (entry.is_directory()) ::rmdir(entry.path().c_str());
    EXPECT_EQ(::rmdir(directory_.c_str()), 0) << "errno " << errno;
  }

  /// A process that waits in the cgroup whose cgroup.procs is given.
  static pid_t enter(int cgroup) {
    SpawnSpec spec;
    spec.executable = "/bin/sleep";
    spec.arguments = {"sleep", "100000"};
    spec.descriptors = {0, 1, 2};
    spec.confinement.cgroup = cgroup;
    const Spawned spawned = spawn(std::move(spec));
    // End of file: exec has succeeded, which is after it entered.
    ::fcntl(spawned.report.get(), F_SETFL, 0);
    char byte;
    EXPECT_EQ(::read(spawned.report.get(), &byte, 1), 0);
    return spawned.pid;
  }

  std::string directory_;
};

}  // namespace viaduct::daemon::master
