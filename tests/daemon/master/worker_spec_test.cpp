#include "daemon/master/worker_spec.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

class FailureTextTest : public testing::Test {
 protected:
  FailureTextTest() {
    char name[] = "/tmp/viaduct-spec-XXXXXX";
    directory_ = ::mkdtemp(name);
    ::chmod(directory_.c_str(), 0755);
    app_.name = "shop";
    app_.identity.account = {.uid = 65534,
                             .gid = 65534,
                             .groups = {},
                             .name = "nobody",
                             .home = "/",
                             .shell = "/bin/sh"};
    app_.directory = directory_;
    app_.executable = directory_ + "/shop";
    app_.command = {app_.executable};
  }
  ~FailureTextTest() override { std::filesystem::remove_all(directory_); }

  std::string text(SpawnStage stage, int error) const { return failure_text(app_, {stage, error}); }

  std::string directory_;
  config::AppSettings app_;
};

TEST_F(FailureTextTest, NamesTheDirectoryThatMayNotBeSearched) {
  ::chmod(directory_.c_str(), 0700);
  app_.identity.account.uid = ::geteuid() + 1;
  app_.identity.account.gid = ::getegid() + 1;
  EXPECT_EQ(text(SpawnStage::exec, EACCES), "shop: exec " + app_.executable +
                                                ": Permission denied (EACCES): user nobody cannot "
                                                "search " +
                                                directory_);
}

TEST_F(FailureTextTest, SaysThatTheFileIsNotExecutable) {
  std::ofstream(app_.executable) << "x";
  ::chmod(app_.executable.c_str(), 0644);
  EXPECT_EQ(text(SpawnStage::exec, EACCES),
            "shop: exec " + app_.executable +
                ": Permission denied (EACCES): user nobody cannot execute it");
}

TEST_F(FailureTextTest, MissingFileAndMissingInterpreterDiffer) {
  EXPECT_EQ(text(SpawnStage::exec, ENOENT),
            "shop: exec " + app_.executable + ": No such file or directory (ENOENT)");
  std::ofstream(app_.executable) << "#!/nonexistent/interpreter\n";
  EXPECT_NE(text(SpawnStage::exec, ENOENT).find("interpreter"), std::string::npos);
}

TEST_F(FailureTextTest, DirectoryIsNamed) {
  app_.directory = "/nonexistent";
  EXPECT_EQ(text(SpawnStage::directory, ENOENT),
            "shop: chdir /nonexistent: No such file or directory (ENOENT)");
}

TEST_F(FailureTextTest, OtherStagesAreNamed) {
  EXPECT_EQ(text(SpawnStage::user, EPERM), "shop: set user: Operation not permitted (EPERM)");
}

TEST_F(FailureTextTest, WorkerHasItsSocketOnDescriptorZero) {
  const SpawnSpec spec = worker_spec(app_, "shop/1", {}, 10, 11, 12);
  EXPECT_EQ(spec.descriptors, (std::vector<int>{10, 11, 12}));
  EXPECT_EQ(spec.arguments, app_.command);
  EXPECT_EQ(spec.directory, directory_);
  EXPECT_EQ(spec.account.has_value(), ::geteuid() == 0);
}

}  // namespace
}  // namespace viaduct::daemon::master
