#include "sdk/src/files/confined_open.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include <gtest/gtest.h>

#include "tests/sdk/support/temporary_directory.hpp"

namespace viaduct::detail {
namespace {

using Open = FileDescriptor (*)(const std::filesystem::path&, std::string_view);

// Of both ways to confine.
class ConfinedOpen : public ::testing::TestWithParam<Open> {
 protected:
  ConfinedOpen() {
    directory_.write("root/a.txt", "a");
    directory_.write("root/sub/b.txt", "b");
    directory_.write("secret.txt", "secret");
    directory_.write("rootless/c.txt", "secret");
    link("../secret.txt", "up");
    link((directory_.path() / "secret.txt").string(), "absolute");
    link("..", "parent");
    link("loop", "loop");
    link("/proc/self/root", "magic");
    ::mkfifo((root_ / "pipe").c_str(), 0600);
  }

  void link(const std::string& target, const char* name) const {
    std::filesystem::create_symlink(target, root_ / name);
  }
  // The first bytes of what is found; "errno N" when nothing is.
  std::string read(std::string_view relative) const {
    const FileDescriptor file = GetParam()(root_, relative);
    if (!file) return "errno " + std::to_string(errno);
    char text[16];
    const ssize_t got = ::read(file.get(), text, sizeof text);
    return got < 0 ? "unreadable" : std::string(text, static_cast<std::size_t>(got));
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path root_ = directory_.path() / "root";
};

INSTANTIATE_TEST_SUITE_P(Ways, ConfinedOpen,
                         ::testing::Values(&open_beneath, &open_beneath_stepwise),
                         [](const auto& way) { return way.index == 0 ? "beneath" : "stepwise"; });

TEST_P(ConfinedOpen, FindsWhatLiesBelow) {
  EXPECT_EQ(read("a.txt"), "a");
  EXPECT_EQ(read("sub/b.txt"), "b");
  EXPECT_EQ(read("./sub//./b.txt"), "b");
}

TEST_P(ConfinedOpen, NothingLeadsOut) {
  using namespace std::string_view_literals;
  for (const std::string_view path :
       {""sv, "/"sv, "/etc/passwd"sv, ".."sv, "../secret.txt"sv, "sub/../../secret.txt"sv,
        "sub/../a.txt"sv, "up"sv, "absolute"sv, "parent/secret.txt"sv, "loop"sv,
        "magic/etc/passwd"sv, "a.txt\0.png"sv, "\0"sv, "a.txt/"sv, "a.txt/."sv, "missing"sv,
        "missing/a.txt"sv, "../rootless/c.txt"sv}) {
    EXPECT_TRUE(read(path).starts_with("errno")) << path << ": " << read(path);
  }
}

TEST_P(ConfinedOpen, DoesNotWaitForPipes) {
  EXPECT_EQ(read("pipe"), "");
}

TEST_P(ConfinedOpen, AMissingRootIsAnErrorAsWell) {
  EXPECT_FALSE(GetParam()(root_ / "nowhere", "a.txt"));
  EXPECT_EQ(errno, ENOENT);
}

TEST(OpenBeneath, FollowsLinksThatStayBelow) {
  const test::TemporaryDirectory directory;
  directory.write("releases/5/a.txt", "5");
  std::filesystem::create_directory_symlink("releases/5", directory.path() / "current");
  const FileDescriptor file = open_beneath(directory.path(), "current/a.txt");
  ASSERT_TRUE(file) << errno;
  EXPECT_FALSE(open_beneath_stepwise(directory.path(), "current/a.txt"));
  EXPECT_TRUE(errno == ELOOP || errno == ENOTDIR) << errno;
}

}  // namespace
}  // namespace viaduct::detail
