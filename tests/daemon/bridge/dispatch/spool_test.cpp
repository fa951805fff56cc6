#include "daemon/bridge/dispatch/spool.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

TEST(Spool, CountsUpToItsLimit) {
  Spool spool("/tmp", 10);
  EXPECT_TRUE(spool.take(9, Spool::Use::body));
  EXPECT_FALSE(spool.take(2, Spool::Use::body));
  EXPECT_EQ(spool.used(), 9u) << "what was refused is not counted";
  EXPECT_TRUE(spool.take(1, Spool::Use::body));
  EXPECT_FALSE(spool.take(1, Spool::Use::body));
  spool.give_back(10);
  EXPECT_TRUE(spool.take(10, Spool::Use::body));
}

TEST(Spool, ResponsesLeaveHalfOfItToBodies) {
  for (const std::uint64_t bytes : {4U, 5U, 6U}) {
    Spool spool("/tmp", 10);
    EXPECT_EQ(spool.take(bytes, Spool::Use::response), bytes <= 5) << bytes;
    EXPECT_TRUE(spool.take(4, Spool::Use::body));
    EXPECT_FALSE(spool.take(2, Spool::Use::response)) << "what bodies have counts, too";
  }
  EXPECT_TRUE(Spool("/tmp", 0).take(std::uint64_t{1} << 50, Spool::Use::response));
}

TEST(Spool, ZeroIsNoLimit) {
  Spool spool("/tmp", 0);
  EXPECT_TRUE(spool.take(std::uint64_t{1} << 50, Spool::Use::body));
}

TEST(Spool, FilesHaveNoNameInItsDirectory) {
  std::array<char, 32> name{"/tmp/viaduct-spool-test-XXXXXX"};
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  const Spool spool(name.data(), 0);
  std::error_code error;
  const int file = spool.open(error);
  ASSERT_GE(file, 0) << error.message();
  EXPECT_EQ(::pwrite(file, "x", 1, 0), 1);
  EXPECT_TRUE(std::filesystem::is_empty(name.data()));
  ::close(file);
  std::filesystem::remove(name.data());
  EXPECT_LT(spool.open(error), 0);
  EXPECT_EQ(error, std::errc::no_such_file_or_directory);
}

TEST(Spool, DirectoryIsThatOfTheEnvironmentUnlessGiven) {
  const char* const before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", "/elsewhere", 1);
  EXPECT_EQ(Spool("", 0).directory(), "/elsewhere");
  EXPECT_EQ(Spool("/here", 0).directory(), "/here");
  ::unsetenv("TMPDIR");
  EXPECT_EQ(Spool("", 0).directory(), "/tmp");
  if (before != nullptr) ::setenv("TMPDIR", kept.c_str(), 1);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
