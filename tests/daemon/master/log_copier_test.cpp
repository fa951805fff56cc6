#include "daemon/master/log_copier.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master {
namespace {

constexpr LogCopier::Lines kText{config::LogFormat::text, 64 * 1024 * 1024};
constexpr LogCopier::Lines kJson{config::LogFormat::json, 64 * 1024 * 1024};

class LogCopierTest : public ::testing::Test {
 protected:
  UniqueFd open(const std::string& name) {
    return UniqueFd(::open((directory_.path() + "/" + name).c_str(),
                           O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  }
  std::string content(const std::string& name) {
    std::stringstream text;
    text << std::ifstream(directory_.path() + "/" + name).rdbuf();
    return text.str();
  }
  // Ends the copier, which has copied everything then.
  std::string copied(const std::string& name = "log") {
    copier_.reset();
    return content(name);
  }
  static void write(const UniqueFd& pipe, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::write(pipe.get(), bytes.data(), bytes.size());
      if (size > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(size));
        continue;
      }
      pollfd writable{pipe.get(), POLLOUT, 0};
      ASSERT_EQ(::poll(&writable, 1, 60'000), 1);
    }
  }

  TemporaryDirectory directory_;
  std::shared_ptr<LogFile> file_ = std::make_shared<LogFile>(open("log"));
  std::optional<LogCopier> copier_{std::in_place};
};

TEST_F(LogCopierTest, LinesOfSeveralWritersDoNotMix) {
  constexpr int kLines = 2000;
  constexpr int kWriters = 4;
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([i, pipe = copier_->pipe_to(file_, kText)] {
      const std::string line = std::string(700, static_cast<char>('a' + i)) + '\n';
      // In pieces, which end anywhere.
      std::string all;
      for (int n = 0; n < kLines; ++n) all += line;
      for (std::string_view rest = all; !rest.empty();) {
        const std::string_view piece = rest.substr(0, 997);
        write(pipe, piece);
        rest.remove_prefix(piece.size());
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  std::istringstream text(copied());
  int lines = 0;
  for (std::string line; std::getline(text, line); ++lines) {
    ASSERT_EQ(line, std::string(700, line[0]));
  }
  EXPECT_EQ(lines, kLines * kWriters);
}

TEST_F(LogCopierTest, WhatCommandsATerminalIsEscapedInTheFormatOfTheLine) {
  {
    const UniqueFd text = copier_->pipe_to(file_, kText);
    write(text,
          "red \x1b[31m\xc2\x9b"
          "31m \xff gr\xc3\xbcn a\\b\n");
    auto other = std::make_shared<LogFile>(open("json"));
    const UniqueFd json = copier_->pipe_to(other, kJson);
    write(json, "{\"m\":\"a\\\\b \x1b \xc2\x9b \xff gr\xc3\xbcn\"}\n");
  }
  EXPECT_EQ(copied(), "red \\x1b[31m\\xc2\\x9b31m \\xff gr\xc3\xbcn a\\b\n");
  EXPECT_EQ(content("json"), "{\"m\":\"a\\\\b \\u001b \\u009b \\ufffd gr\xc3\xbcn\"}\n");
}

TEST_F(LogCopierTest, LinesAreCutAtTheLimitOnly) {
  for (const std::size_t more : {0u, 1u}) {
    const std::string name = "long" + std::to_string(more);
    LogCopier copier;
    const UniqueFd pipe = copier.pipe_to(std::make_shared<LogFile>(open(name)), kText);
    write(pipe, std::string(LogCopier::kLongestLine + more, 'x') + "\nnext\n");
  }
  const std::string longest(LogCopier::kLongestLine, 'x');
  EXPECT_TRUE(content("long0") == longest + "\nnext\n");
  EXPECT_TRUE(content("long1") == longest + "\nx\nnext\n");
}

TEST_F(LogCopierTest, AnUnfinishedLastLineIsALine) {
  { write(copier_->pipe_to(file_, kText), "whole\nunfinished"); }
  EXPECT_EQ(copied(), "whole\nunfinished\n");
}

TEST_F(LogCopierTest, WhatIsInThePipeIsCopiedAtTheEndThoughItsWriterLives) {
  const UniqueFd pipe = copier_->pipe_to(file_, kText);
  std::string all;
  for (int i = 0; all.size() < 60'000; ++i) all += "line " + std::to_string(i) + '\n';
  write(pipe, all);
  EXPECT_EQ(copied(), all);
  ::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(::write(pipe.get(), "x\n", 2), -1);
}

// So that a bridge which writes for ever cannot keep the master from ending.
TEST_F(LogCopierTest, AWriterThatNeverStopsCannotHoldTheEnd) {
  ::signal(SIGPIPE, SIG_IGN);
  const UniqueFd pipe = copier_->pipe_to(file_, kText);
  std::thread writer([&] {
    const std::string lines(60'000, '\n');
    for (;;) {
      if (::write(pipe.get(), lines.data(), lines.size()) < 0 && errno == EPIPE) return;
    }
  });
  copier_.reset();
  writer.join();
}

TEST_F(LogCopierTest, LaterLinesGoToTheFileThatTookItsPlace) {
  const UniqueFd pipe = copier_->pipe_to(file_, kText);
  write(pipe, "first\n");
  while (content("log").empty()) std::this_thread::yield();
  file_->replace(open("second"));
  write(pipe, "second\n");
  EXPECT_EQ(copied("log"), "first\n");
  EXPECT_EQ(content("second"), "second\n");
}

// By what has been copied when so many turns have gone by. A burst is allowed, and one read more.
class LogFloodTest : public LogCopierTest {
 protected:
  static constexpr std::size_t kBytes = 32 * 1024;
  static constexpr std::size_t kRead = 64 * 1024;

  // Until so much is copied, `write` is called with the pipe and what is copied by then.
  template <class Write>
  void flood(std::size_t until, Write write) {
    ::signal(SIGPIPE, SIG_IGN);
    const auto begin = std::chrono::steady_clock::now();
    const UniqueFd pipe = copier_->pipe_to(file_, {config::LogFormat::text, kBytes});
    std::size_t copied = 0;
    while ((copied = content("log").size()) < until) write(pipe, copied);
    const auto turns = (std::chrono::steady_clock::now() - begin) / LogCopier::kTurn + 1;
    EXPECT_LE(copied, static_cast<std::size_t>(turns + 1) * kBytes + kRead);
  }
};

TEST_F(LogFloodTest, NoMoreIsReadInATurnThanIsAllowed) {
  const std::string lines(4096, '\n');
  flood(6 * kRead, [&](const UniqueFd& pipe, std::size_t) {
    if (::write(pipe.get(), lines.data(), lines.size()) < 0) std::this_thread::yield();
  });
}

// Each piece is written once the one before has been copied and the pipe is empty.
TEST_F(LogFloodTest, AFloodInPiecesWaitsAsWell) {
  const std::string piece(4096, '\n');
  std::size_t written = 0;
  flood(6 * kRead, [&](const UniqueFd& pipe, std::size_t copied) {
    if (copied < written) return std::this_thread::yield();
    write(pipe, piece);
    written += piece.size();
  });
}

// Single bytes count for more than they are.
TEST_F(LogFloodTest, TinyPiecesCountForMore) {
  const auto begin = std::chrono::steady_clock::now();
  const UniqueFd pipe = copier_->pipe_to(file_, {config::LogFormat::text, kBytes});
  constexpr std::size_t kLeast = 4096;
  constexpr std::size_t kPieces = 6 * kBytes / kLeast;
  for (std::size_t i = 1; i <= kPieces; ++i) {
    write(pipe, "\n");
    while (content("log").size() < i) std::this_thread::yield();
  }
  const auto turns = (std::chrono::steady_clock::now() - begin) / LogCopier::kTurn + 1;
  EXPECT_LE(kPieces, static_cast<std::size_t>(turns + 1) * kBytes / kLeast + 1);
}

TEST_F(LogCopierTest, WritersGetAPipeAndNothingElse) {
  const UniqueFd pipe = copier_->pipe_to(file_, kText);
  struct stat status {};
  ASSERT_EQ(::fstat(pipe.get(), &status), 0);
  EXPECT_TRUE(S_ISFIFO(status.st_mode));
  EXPECT_NE(::ftruncate(pipe.get(), 0), 0);
  EXPECT_NE(::fcntl(pipe.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(pipe.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(LogCopierTest, AFullDiskCostsLinesOnly) {
  auto full = std::make_shared<LogFile>(UniqueFd(::open("/dev/full", O_WRONLY | O_CLOEXEC)));
  const UniqueFd pipe = copier_->pipe_to(full, kText);
  write(pipe, "lost\n");
  const UniqueFd other = copier_->pipe_to(file_, kText);
  write(other, "kept\n");
  EXPECT_EQ(copied(), "kept\n");
  EXPECT_EQ(full->take_lost(), 1u);
  EXPECT_EQ(file_->take_lost(), 0u);
}

// A terminal that is stopped, a pipe whose reader hangs: it neither stops the others, nor a reopen,
// nor the end.
TEST_F(LogCopierTest, WhoTakesNoLinesStopsNoOthers) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd nobody_reads(ends[0]);
  auto stuck = std::make_shared<LogFile>(UniqueFd(ends[1]));
  const UniqueFd pipe = copier_->pipe_to(stuck, kText);
  const std::string lines(400'000, '\n');
  write(pipe, lines);
  const UniqueFd other = copier_->pipe_to(file_, kText);
  write(other, "kept\n");
  while (content("log").empty()) std::this_thread::yield();
  stuck->replace(open("instead"));
  write(pipe, "after\n");
  EXPECT_EQ(copied(), "kept\n");
  EXPECT_GT(stuck->take_lost(), 200'000u);
  EXPECT_TRUE(content("instead").ends_with("after\n"));
}

class LogFileTest : public LogCopierTest {
 protected:
  LogFileTest() {
    EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK), 0);
    size_ = ::fcntl(ends_[1], F_SETPIPE_SZ, 4096);
  }
  ~LogFileTest() override { ::close(ends_[0]); }
  std::string read() {
    std::string text(64 * 1024, '\0');
    const ssize_t size = ::read(ends_[0], text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

  std::array<int, 2> ends_{};
  int size_ = 0;
};

TEST_F(LogFileTest, ALineThatWasCutIsEndedBeforeTheNext) {
  LogFile file{UniqueFd(ends_[1])};
  const std::string longer(static_cast<std::size_t>(size_) + 100, 'x');
  file.write(longer + "\nnever\n");
  EXPECT_EQ(file.take_lost(), 2u);
  EXPECT_EQ(file.take_lost(), 0u);
  EXPECT_EQ(read(), longer.substr(0, static_cast<std::size_t>(size_)));
  file.write("next\n");
  EXPECT_EQ(read(), "\nnext\n");
  EXPECT_EQ(file.take_lost(), 0u);
}

}  // namespace
}  // namespace viaduct::daemon::master
