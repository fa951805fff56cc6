#include "daemon/log/log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace viaduct::daemon::log {
namespace {

class LogTest : public testing::Test {
 protected:
  LogTest() {
    char name[] = "/tmp/viaduct-log-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~LogTest() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  static std::string content(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string directory_;
};

TEST_F(LogTest, TextLineHasTimeLevelMessageAttributes) {
  Log log({.descriptor = open_file(path("log"))});
  log.warning("worker ended", {{"app", "shop"}});
  const std::string line = content(path("log"));
  EXPECT_NE(line.find(" warning worker ended app=shop\n"), std::string::npos) << line;
  EXPECT_EQ(line.find('T'), 10u) << line;
}

TEST_F(LogTest, JsonLineParses) {
  Log log({.format = Format::json, .descriptor = open_file(path("log"))});
  log.error("say \"100 %v\"\n", {{"pid", 7}});
  const auto object = boost::json::parse(content(path("log"))).as_object();
  EXPECT_EQ(object.at("level"), "error");
  EXPECT_EQ(object.at("message"), "say \"100 %v\"\n");
  EXPECT_EQ(object.at("pid"), 7);
  EXPECT_EQ(object.at("time").as_string().size(), 29u);
}

TEST_F(LogTest, LevelsBelowTheConfiguredOneAreDropped) {
  Log log({.level = Level::warning, .descriptor = open_file(path("log"))});
  log.info("quiet");
  EXPECT_FALSE(log.enabled(Level::info));
  EXPECT_TRUE(log.enabled(Level::error));
  EXPECT_EQ(content(path("log")), "");
}

TEST_F(LogTest, LinesThatAFullPipeDoesNotTakeAreCountedInTheFormatOfTheLog) {
  for (const Format format : {Format::text, Format::json}) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    const int size = ::fcntl(ends[1], F_SETPIPE_SZ, 4096);
    ASSERT_GE(size, 0);
    Log log({.format = format, .descriptor = ends[1]});
    const std::string full(static_cast<std::size_t>(size), 'x');
    ASSERT_EQ(::write(ends[1], full.data(), full.size()), size);
    log.info("lost");
    log.error("lost, too");
    std::vector<char> buffer(64 * 1024);
    ASSERT_EQ(::read(ends[0], buffer.data(), buffer.size()), size);
    log.info("taken");
    log.info("taken, too");
    const ssize_t count = ::read(ends[0], buffer.data(), buffer.size());
    ::close(ends[0]);
    ASSERT_GT(count, 0);
    std::istringstream lines(std::string(buffer.data(), static_cast<std::size_t>(count)));
    std::vector<std::string> read;
    for (std::string line; std::getline(lines, line);) read.push_back(line);
    ASSERT_EQ(read.size(), 3u);
    EXPECT_NE(read[0].find("log lines lost"), std::string::npos) << read[0];
    EXPECT_NE(read[0].find("warning"), std::string::npos) << read[0];
    EXPECT_NE(read[0].find(format == Format::json ? "\"lines\":2" : "lines=2"), std::string::npos)
        << read[0];
    EXPECT_NE(read[1].find("taken"), std::string::npos);
    if (format == Format::json) boost::json::parse(read[0]);
  }
}

TEST_F(LogTest, TheRestOfALineIsWrittenAtTheEnd) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  const int size = ::fcntl(ends[1], F_SETPIPE_SZ, 4096);
  ASSERT_GE(size, 0);
  const std::string message(static_cast<std::size_t>(size) + 1000, 'x');
  std::vector<char> buffer(2 * message.size());
  std::string got;
  const auto take = [&] {
    const ssize_t count = ::read(ends[0], buffer.data(), buffer.size());
    if (count > 0) got.append(buffer.data(), static_cast<std::size_t>(count));
  };
  {
    const Log log({.descriptor = ends[1]});
    log.info(message);
    take();
    EXPECT_FALSE(got.ends_with('\n'));
  }
  take();
  EXPECT_TRUE(got.ends_with(message + "\n"));
  ::close(ends[0]);
}

TEST_F(LogTest, ClosedPipeLosesTheLineOnly) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  ::signal(SIGPIPE, SIG_IGN);
  Log log({.descriptor = ends[1]});
  log.error("nobody reads");
}

TEST_F(LogTest, SymbolicLinksAreNotFollowed) {
  ASSERT_EQ(::symlink(path("elsewhere").c_str(), path("log").c_str()), 0);
  EXPECT_THROW(open_file(path("log")), std::system_error);
  EXPECT_FALSE(std::filesystem::exists(path("elsewhere")));
  ::close(open_file("/dev/stderr"));
}

TEST_F(LogTest, LinksOfOthersLeadRootToTheirOwnDirectoriesAlone) {
  if (::geteuid() != 0) GTEST_SKIP() << "about being root";
  constexpr uid_t kOther = 1;
  for (const char* name : {"home", "home/own", "roots", "strangers"}) {
    std::filesystem::create_directory(path(name));
  }
  const auto link = [&](const std::string& target, const char* name, uid_t owner) {
    ASSERT_EQ(::symlink(target.c_str(), path(name).c_str()), 0);
    ASSERT_EQ(::lchown(path(name).c_str(), owner, owner), 0);
  };
  link("../roots", "home/to-root", kOther);
  link(path("roots"), "home/to-root-by-name", kOther);
  link("to-root", "home/twice", kOther);
  link("../roots", "home/roots-link", 0);
  link("../strangers", "home/to-stranger", kOther);
  link("own", "home/to-own", kOther);
  link("roots", "of-root", 0);
  link("home/to-root", "of-root-through-home", 0);
  for (const char* name : {"home", "home/own"}) {
    ASSERT_EQ(::chown(path(name).c_str(), kOther, kOther), 0);
  }
  ASSERT_EQ(::chown(path("strangers").c_str(), kOther + 1, kOther + 1), 0);
  for (const char* name : {"home/to-root", "home/to-root-by-name", "home/twice", "home/roots-link",
                           "home/to-stranger", "of-root-through-home"}) {
    SCOPED_TRACE(name);
    EXPECT_THROW(::close(open_file(path(name) + "/log")), std::system_error);
  }
  EXPECT_FALSE(std::filesystem::exists(path("roots/log")));
  EXPECT_FALSE(std::filesystem::exists(path("strangers/log")));
  ::close(open_file(path("home/to-own") + "/log"));
  ::close(open_file(path("of-root") + "/log"));
  EXPECT_TRUE(std::filesystem::exists(path("home/own/log")));
  EXPECT_TRUE(std::filesystem::exists(path("roots/log")));
}

TEST_F(LogTest, APipeIsRefusedWhetherOrNotSomebodyReads) {
  ASSERT_EQ(::mkfifo(path("log").c_str(), 0600), 0);
  EXPECT_THROW(open_file(path("log")), std::system_error);
  const int both = ::open(path("log").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(both, 0);
  EXPECT_THROW(open_file(path("log")), std::system_error);
  ::close(both);
}

TEST_F(LogTest, SharedMemoryIsNoDevice) {
  const std::string link = "/dev/shm/viaduct-log-test-" + std::to_string(::getpid());
  ASSERT_EQ(::symlink(path("elsewhere").c_str(), link.c_str()), 0);
  EXPECT_THROW(open_file(link), std::system_error);
  ::unlink(link.c_str());
}

TEST_F(LogTest, RootWritesToNoFileThatOthersHavePutThere) {
  if (::geteuid() != 0) GTEST_SKIP() << "about being root";
  constexpr uid_t kOther = 1;
  const auto refused = [&](const char* name) {
    try {
      ::close(open_file(path(name)));
      return std::string();
    } catch (const std::system_error& error) {
      return error.code().message();
    }
  };
  ::close(open_file(path("own")));
  ASSERT_EQ(::link(path("own").c_str(), path("second").c_str()), 0);
  EXPECT_EQ(refused("second"), "") << "in a directory that is root's alone";
  ASSERT_EQ(::chown(path("").c_str(), kOther, kOther), 0);
  EXPECT_EQ(refused("second"), "Too many links");
  ASSERT_EQ(::unlink(path("second").c_str()), 0);
  EXPECT_EQ(refused("own"), "");
  ASSERT_EQ(::chown(path("own").c_str(), kOther, kOther), 0);
  EXPECT_EQ(refused("own"), "") << "of the directory's owner";
  ASSERT_EQ(::chown(path("own").c_str(), kOther + 1, kOther + 1), 0);
  EXPECT_EQ(refused("own"), "Operation not permitted");
}

TEST_F(LogTest, ErrorNamesThePath) {
  try {
    open_file("/nonexistent/dir/log");
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("/nonexistent/dir/log"), std::string::npos);
  }
}

}  // namespace
}  // namespace viaduct::daemon::log
