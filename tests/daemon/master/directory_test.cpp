// Directories in which others may have put what they like.
#include "daemon/master/directory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>

#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kOther = 65534;

std::string nested(int deep) {
  std::string path = "tree";
  for (int i = 1; i < deep; ++i) path += "/d";
  return path;
}

TEST(DirectoryTest, TreesAreRemovedUpToADepth) {
  const TemporaryDirectory temporary;
  const Directory directory = Directory::open(temporary.path());
  EXPECT_TRUE(directory.remove_tree("none")) << "it is gone";
  fs::create_directories(temporary / nested(Directory::kMostDeep));
  std::ofstream(temporary / (nested(Directory::kMostDeep) + "/file")) << "x";
  EXPECT_TRUE(directory.remove_tree("tree"));
  EXPECT_FALSE(fs::exists(temporary / "tree"));
  fs::create_directories(temporary / nested(Directory::kMostDeep + 1));
  std::ofstream(temporary / "tree/file") << "x";
  EXPECT_FALSE(directory.remove_tree("tree"));
  EXPECT_TRUE(fs::exists(temporary / nested(Directory::kMostDeep + 1)));
  EXPECT_FALSE(fs::exists(temporary / "tree/file")) << "what is not too deep goes";
}

TEST(DirectoryTest, NoMoreIsRemovedOrListedThanAllowed) {
  const TemporaryDirectory temporary;
  const Directory directory = Directory::open(temporary.path());
  fs::create_directory(temporary / "tree");
  // Names of one file: new ones take their time.
  std::ofstream(temporary / "file") << "x";
  for (std::size_t i = 0; i <= Directory::kMostEntries; ++i) {
    fs::create_hard_link(temporary / "file", temporary / "tree/" + std::to_string(i));
  }
  EXPECT_EQ(directory.open_directory_below("tree").names().size(), Directory::kMostEntries);
  EXPECT_FALSE(directory.remove_tree("tree"));
  EXPECT_TRUE(directory.remove_tree("tree")) << "the rest";
}

TEST(DirectoryTest, ALinkIsRemovedAndNotFollowed) {
  const TemporaryDirectory temporary;
  const Directory directory = Directory::open(temporary.path());
  fs::create_directory(temporary / "roots");
  std::ofstream(temporary / "roots/secret") << "x";
  fs::create_directory_symlink(temporary / "roots", temporary / "link");
  EXPECT_THROW((void)directory.open_directory_below("link"), std::system_error);
  EXPECT_TRUE(directory.remove_tree("link"));
  EXPECT_FALSE(fs::is_symlink(temporary / "link"));
  EXPECT_TRUE(fs::exists(temporary / "roots/secret"));
}

TEST(DirectoryTest, NamesAreThoseOfWhatIsInIt) {
  const TemporaryDirectory temporary;
  std::ofstream(temporary / "one") << "x";
  fs::create_directory(temporary / "two");
  auto names = Directory::open(temporary.path()).names();
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"one", "two"}));
}

TEST(DirectoryTest, IsMadeOrOpenedWhereItsPathLeads) {
  const TemporaryDirectory temporary;
  const auto mode = [](const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  };
  for (const char* path : {"made", "slash/", "dot/."}) {
    EXPECT_TRUE(Directory::make(temporary / path, 0751).in_place());
    EXPECT_EQ(mode(temporary / path), 0751u);
    EXPECT_TRUE(Directory::make(temporary / path, 0700).in_place());
    EXPECT_EQ(mode(temporary / path), 0751u) << "it was there";
  }
  fs::create_directory_symlink(temporary / "made", temporary / "link");
  EXPECT_TRUE(Directory::make(temporary / "link", 0700).in_place()) << "our own link";
  EXPECT_TRUE(Directory::make(temporary / "link/below", 0700).in_place());
  EXPECT_TRUE(fs::is_directory(temporary / "made/below"));
  EXPECT_THROW(Directory::make(temporary / "no/such", 0700), std::system_error);
  std::ofstream(temporary / "file") << "x";
  EXPECT_THROW(Directory::make(temporary / "file", 0700), std::system_error);
}

TEST(DirectoryTest, LinksOfOthersLeadRootToTheirOwnAlone) {
  if (::geteuid() != 0) GTEST_SKIP() << "about being root";
  const TemporaryDirectory temporary;
  fs::create_directory(temporary / "roots");
  fs::create_directory(temporary / "theirs");
  ASSERT_EQ(::chown((temporary / "theirs").c_str(), kOther, kOther), 0);
  for (const char* target : {"roots", "theirs"}) {
    const std::string link = temporary / (std::string("to-") + target);
    fs::create_directory_symlink(temporary / target, link);
    ASSERT_EQ(::lchown(link.c_str(), kOther, kOther), 0);
  }
  EXPECT_THROW(Directory::make(temporary / "to-roots", 0700), std::system_error);
  EXPECT_THROW(Directory::make(temporary / "to-roots/new", 0700), std::system_error);
  EXPECT_FALSE(fs::exists(temporary / "roots/new"));
  EXPECT_EQ(Directory::make(temporary / "to-theirs", 0700).owner(), kOther);
  try {
    (void)Directory::make(temporary / "to-roots", 0700);
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("to-roots, which a link of another user leads to"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace viaduct::daemon::master
