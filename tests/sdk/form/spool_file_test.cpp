#include "sdk/src/form/spool_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include <gtest/gtest.h>
#include <viaduct/form.hpp>

#include "tests/sdk/support/temporary_directory.hpp"

namespace viaduct::test {
namespace {

namespace fs = std::filesystem;
using detail::SpoolFile;

dev_t device_of(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_dev;
}

fs::path put(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(SpoolFileTest, HoldsWhatWasWrittenAndGoes) {
  const TemporaryDirectory directory;
  fs::path path;
  {
    SpoolFile file(directory.path());
    path = file.path();
    std::string all;
    for (int i = 0; i < 300; ++i) {
      const std::string piece(static_cast<std::size_t>(i) * 7, static_cast<char>('a' + i % 26));
      file.write(piece);
      all += piece;
    }
    file.close();
    EXPECT_EQ(file.size(), all.size());
    EXPECT_TRUE(content_of(path) == all);
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(SpoolFileTest, GoesWhenItWasNotClosed) {
  const TemporaryDirectory directory;
  { SpoolFile(directory.path()).write("x"); }
  EXPECT_TRUE(directory.files().empty());
}

TEST(SpoolFileTest, NamesDiffer) {
  const TemporaryDirectory directory;
  const SpoolFile one(directory.path());
  const SpoolFile two(directory.path());
  EXPECT_NE(one.path(), two.path());
  EXPECT_GE(one.path().filename().string().size(), 32U);
}

TEST(SpoolFileTest, ErrorsNameThePath) {
  try {
    const SpoolFile file("/nowhere/at/all");
    ADD_FAILURE() << file.path();
  } catch (const fs::filesystem_error& error) {
    EXPECT_EQ(error.path1().parent_path(), "/nowhere/at/all");
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
  }
}

TEST(SpoolFileTest, AFullDiskIsAnError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  const TemporaryDirectory directory;
  SpoolFile file(directory.path());
  // The descriptor that the file has is made one of a device that is always full.
  const int full = ::open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  struct stat wanted {};
  ASSERT_EQ(::stat(file.path().c_str(), &wanted), 0);
  for (int fd = 3; fd < 1024; ++fd) {
    struct stat status {};
    if (::fstat(fd, &status) == 0 && status.st_ino == wanted.st_ino &&
        status.st_dev == wanted.st_dev) {
      ASSERT_EQ(::dup2(full, fd), fd);
    }
  }
  ::close(full);
  file.write("x");
  try {
    file.close();
    ADD_FAILURE() << "written";
  } catch (const fs::filesystem_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_space_on_device);
    EXPECT_EQ(error.path1(), file.path());
  }
}

TEST(SpoolFileTest, TemporariesGoWhereTmpdirSays) {
  const char* const before = std::getenv("TMPDIR");
  const std::string kept = before != nullptr ? before : "";
  ::setenv("TMPDIR", "/some/where", 1);
  EXPECT_EQ(detail::temporary_directory(), "/some/where");
  ::setenv("TMPDIR", "", 1);
  EXPECT_EQ(detail::temporary_directory(), "/tmp");
  ::unsetenv("TMPDIR");
  EXPECT_EQ(detail::temporary_directory(), "/tmp");
  if (before != nullptr) ::setenv("TMPDIR", kept.c_str(), 1);
}

TEST(UploadTest, SavingReplacesWhatIsThere) {
  const TemporaryDirectory directory;
  Upload upload;
  upload.path = put(directory.path() / "new", "new");
  const fs::path to = put(directory.path() / "there", "old and longer");
  upload.save(to);
  EXPECT_EQ(content_of(to), "new");
  EXPECT_EQ(directory.files().size(), 1U);
}

TEST(UploadTest, SavingAcrossFileSystemsCopies) {
  const TemporaryDirectory here;
  if (!fs::exists("/dev/shm") || device_of("/dev/shm") == device_of(here.path())) {
    GTEST_SKIP() << "there is only one file system";
  }
  const TemporaryDirectory there("/dev/shm");
  const std::string content(200 * 1000, 'x');
  Upload upload;
  upload.path = put(here.path() / "new", content);
  const fs::path to = put(there.path() / "there", "old");
  upload.save(to);
  EXPECT_TRUE(content_of(to) == content);
  EXPECT_TRUE(here.files().empty());
  EXPECT_EQ(there.files().size(), 1U);
  struct stat status {};
  ASSERT_EQ(::stat(to.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST(UploadTest, CopyingLeavesNothingBehindWhenItFails) {
  const TemporaryDirectory from;
  const TemporaryDirectory to;
  const fs::path source = put(from.path() / "new", "new");
  fs::create_directory(to.path() / "directory");
  EXPECT_THROW(detail::copy_and_remove(source, to.path() / "directory"), fs::filesystem_error);
  EXPECT_THROW(detail::copy_and_remove(source, to.path() / "missing" / "x"), fs::filesystem_error);
  EXPECT_THROW(detail::copy_and_remove(from.path() / "missing", to.path() / "x"),
               fs::filesystem_error);
  EXPECT_EQ(to.files().size(), 1U);
  EXPECT_EQ(content_of(source), "new");
}

TEST(UploadTest, SavingIntoADirectoryThatIsNotThereKeepsTheFile) {
  const TemporaryDirectory directory;
  Upload upload;
  upload.path = put(directory.path() / "new", "new");
  try {
    upload.save(directory.path() / "missing" / "x");
    ADD_FAILURE() << "saved";
  } catch (const fs::filesystem_error& error) {
    EXPECT_EQ(error.path1(), upload.path);
    EXPECT_EQ(error.path2(), directory.path() / "missing" / "x");
  }
  EXPECT_EQ(content_of(upload.path), "new");
}

}  // namespace
}  // namespace viaduct::test
