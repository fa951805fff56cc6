#include "daemon/master/crash_directory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>

#include <gtest/gtest.h>

#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master {
namespace {

namespace fs = std::filesystem;

class CrashDirectoryTest : public testing::Test {
 protected:
  static CrashReport report(int second, const std::string& app = "shop") {
    CrashReport made;
    made.app = app;
    made.worker = app + "/1";
    made.pid = 7;
    made.status = SIGSEGV;
    made.time = std::chrono::system_clock::time_point(std::chrono::seconds(second));
    return made;
  }
  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(path_)) found.insert(entry.path().filename());
    return found;
  }

  TemporaryDirectory directory_;
  const std::string path_ = directory_ / "crashes";
  CrashSearch search_;
};

TEST_F(CrashDirectoryTest, IsMadeAndHoldsTheReport) {
  const std::string path = CrashDirectory(path_).add(report(0), search_);
  EXPECT_EQ(path, path_ + "/shop-19700101-000000-7.txt");
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07027, 0u);
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07137, 0u);
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, to_text(report(0)));
}

TEST_F(CrashDirectoryTest, LinksOfOthersAreNotFollowed) {
  fs::create_directory(directory_ / "elsewhere");
  fs::create_directory_symlink(directory_ / "elsewhere", path_);
  if (::geteuid() == 0) {
    EXPECT_NO_THROW(CrashDirectory{path_}) << "root's own link, where nobody else may write";
  }
  ASSERT_EQ(::chmod((directory_ / "").c_str(), 0777), 0);
  try {
    const CrashDirectory crashes(path_);
    ADD_FAILURE() << "followed";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("crash_dir " + path_), std::string::npos);
  }
}

TEST_F(CrashDirectoryTest, LinksOfOthersLeadNowhereElse) {
  if (::geteuid() != 0) GTEST_SKIP() << "about being root";
  fs::create_directory(directory_ / "elsewhere");
  const std::string link = directory_ / "link";
  fs::create_directory_symlink(directory_ / "elsewhere", link);
  EXPECT_NO_THROW(CrashDirectory{link + "/own"});
  ASSERT_EQ(::lchown(link.c_str(), 1, 1), 0);
  EXPECT_THROW(CrashDirectory{link + "/crashes"}, std::system_error);
  EXPECT_FALSE(fs::exists(directory_ / "elsewhere/crashes"));
}

TEST_F(CrashDirectoryTest, KeepsTheNewestOfEachApp) {
  const CrashDirectory crashes(path_);
  std::ofstream(path_ + "/notes.txt") << "mine";
  crashes.add(report(0, "shop-2"), search_);
  constexpr int kKept = static_cast<int>(CrashDirectory::kKept);
  for (int i = 0; i < kKept; ++i) crashes.add(report(i), search_);
  EXPECT_EQ(names().size(), CrashDirectory::kKept + 2);
  EXPECT_TRUE(names().contains(crash_file_name(report(0))));
  crashes.add(report(kKept), search_);
  EXPECT_EQ(names().size(), CrashDirectory::kKept + 2);
  EXPECT_FALSE(names().contains(crash_file_name(report(0))));
  EXPECT_TRUE(names().contains(crash_file_name(report(1))));
  EXPECT_TRUE(names().contains(crash_file_name(report(kKept))));
  EXPECT_TRUE(names().contains("notes.txt"));
  EXPECT_TRUE(names().contains(crash_file_name(report(0, "shop-2"))));
}

// Whoever may write there may put many in it.
TEST_F(CrashDirectoryTest, HoweverManyAreThereOnlyTheNewestStay) {
  const CrashDirectory crashes(path_);
  constexpr int kThere = 3 * static_cast<int>(CrashDirectory::kKept);
  for (int i = 0; i < kThere; ++i) {
    // In an order of neither age nor youth.
    std::ofstream(path_ + "/" + crash_file_name(report(i * 7 % kThere))) << "x";
  }
  crashes.add(report(kThere), search_);
  EXPECT_EQ(names().size(), CrashDirectory::kKept);
  EXPECT_TRUE(names().contains(crash_file_name(report(kThere))));
  const int oldest = kThere + 1 - static_cast<int>(CrashDirectory::kKept);
  EXPECT_TRUE(names().contains(crash_file_name(report(oldest))));
  EXPECT_FALSE(names().contains(crash_file_name(report(oldest - 1))));
}

// However many there are, one report looks at so many names, and the next ones at the rest.
TEST_F(CrashDirectoryTest, ALargeDirectoryIsCleanedInPortions) {
  const CrashDirectory crashes(path_);
  constexpr int kOfUs = 3 * static_cast<int>(CrashDirectory::kKept);
  constexpr int kPortions = 3;
  for (int i = 0; i < kOfUs; ++i) std::ofstream(path_ + "/" + crash_file_name(report(i))) << "x";
  for (std::size_t i = 0; i < (kPortions - 1) * CrashDirectory::kMostEntries; ++i) {
    ASSERT_EQ(::symlink("x", (path_ + "/other-" + std::to_string(i)).c_str()), 0);
  }
  const auto of_us = [this] {
    std::size_t count = 0;
    for (const std::string& name : names()) count += name.starts_with("shop-") ? 1 : 0;
    return count;
  };
  // Once more, since a position may be inexact where files have gone meanwhile.
  for (int i = 0; i < 2 * kPortions; ++i) {
    EXPECT_EQ(search_.finished(), i % kPortions == 0) << "one portion does not do for all";
    crashes.add(report(kOfUs + i), search_);
    EXPECT_LE(search_.kept.size(), CrashDirectory::kKept);
  }
  EXPECT_TRUE(search_.finished());
  EXPECT_GE(of_us(), CrashDirectory::kKept);
  EXPECT_LE(of_us(), CrashDirectory::kKept + 2 * kPortions) << "and those that came meanwhile";
  EXPECT_TRUE(names().contains(crash_file_name(report(kOfUs + 2 * kPortions - 1))));
  EXPECT_FALSE(names().contains(crash_file_name(report(0))));
}

TEST_F(CrashDirectoryTest, OneReportRemovesNoMoreThanAPortion) {
  const CrashDirectory crashes(path_);
  constexpr int kThere = static_cast<int>(CrashDirectory::kMostEntries) + 1000;
  for (int i = 0; i < kThere; ++i) {
    ASSERT_EQ(::symlink("x", (path_ + "/" + crash_file_name(report(i))).c_str()), 0);
  }
  crashes.add(report(kThere), search_);
  EXPECT_GE(names().size(), kThere + 1 - CrashDirectory::kMostEntries);
  crashes.add(report(kThere + 1), search_);
  EXPECT_TRUE(search_.finished());
  EXPECT_LE(names().size(), CrashDirectory::kKept + 2);
}

TEST_F(CrashDirectoryTest, FollowsNoLinkAndOverwritesNothing) {
  const CrashDirectory crashes(path_);
  const std::string victim = directory_ / "victim";
  std::ofstream(victim) << "precious";
  ASSERT_EQ(::symlink(victim.c_str(), (path_ + "/" + crash_file_name(report(0))).c_str()), 0);
  ASSERT_EQ(::symlink((directory_ / "absent").c_str(),
                      (path_ + "/" + crash_file_name(report(1))).c_str()),
            0);
  for (const int second : {0, 1})
    EXPECT_THROW(crashes.add(report(second), search_), std::system_error);
  EXPECT_EQ(fs::file_size(victim), 8u);
  EXPECT_FALSE(fs::exists(directory_ / "absent"));
}

TEST_F(CrashDirectoryTest, WhatCannotBeWrittenToIsNamed) {
  const std::string file = directory_ / "file";
  std::ofstream(file) << "x";
  for (const std::string& path : {file, directory_ / "absent/crashes"}) {
    try {
      const CrashDirectory crashes(path);
      ADD_FAILURE() << path;
    } catch (const std::system_error& error) {
      EXPECT_NE(std::string(error.what()).find("crash_dir " + path + ": "), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace viaduct::daemon::master
