#include "daemon/master/output_reader.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

class OutputReaderTest : public testing::Test {
 protected:
  OutputReaderTest() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw std::runtime_error("pipe2");
    write_.reset(ends[1]);
    reader_ = std::make_shared<OutputReader>(
        io_, UniqueFd(ends[0]), [this](std::string_view line) { lines_.emplace_back(line); });
  }

  void write(const std::string& text) {
    ASSERT_EQ(::write(write_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  boost::asio::io_context io_;
  UniqueFd write_;
  std::vector<std::string> lines_;
  std::shared_ptr<OutputReader> reader_;
};

TEST_F(OutputReaderTest, GivesLinesAsTheyCome) {
  reader_->start();
  write("one\ntw");
  io_.run_one();
  EXPECT_EQ(lines_, std::vector<std::string>{"one"});
  write("o\n");
  io_.run_one();
  EXPECT_EQ(lines_, (std::vector<std::string>{"one", "two"}));
}

TEST_F(OutputReaderTest, FinishReadsWhatIsLeft) {
  write("last words\nwithout end");
  reader_->finish();
  EXPECT_EQ(lines_, (std::vector<std::string>{"last words", "without end"}));
  EXPECT_EQ(reader_->last_lines(), (std::deque<std::string>{"last words", "without end"}));
}

TEST_F(OutputReaderTest, RemembersOnlyTheLastLines) {
  constexpr std::size_t kMax = OutputReader::kRemembered;
  for (std::size_t i = 0; i <= kMax; ++i) write(std::to_string(i) + std::string(300, 'x') + "\n");
  reader_->finish();
  ASSERT_EQ(reader_->last_lines().size(), kMax);
  EXPECT_EQ(reader_->last_lines().front(), "1" + std::string(255, 'x'));
  EXPECT_EQ(reader_->last_lines().back(),
            (std::to_string(kMax) + std::string(300, 'x')).substr(0, 256));
}

TEST_F(OutputReaderTest, WhatIsSaidOfACrashIsKeptApart) {
  write("before\nviaduct-crash: SIGSEGV\nafter viaduct-crash: no\n");
  reader_->finish();
  EXPECT_EQ(lines_, (std::vector<std::string>{"before", "after viaduct-crash: no"}));
  EXPECT_EQ(reader_->last_lines().size(), 2u);
  EXPECT_EQ(reader_->crash_notes().lines(), std::vector<std::string>{"SIGSEGV"});
}

TEST_F(OutputReaderTest, FloodWaitsInThePipe) {
  ASSERT_GE(::fcntl(write_.get(), F_SETPIPE_SZ, 1 << 18), 1 << 18);
  constexpr std::size_t kLine = 256;
  constexpr std::size_t kLines = (1 << 18) / kLine;
  for (std::size_t i = 0; i < kLines; ++i) write(std::string(kLine - 1, 'x') + '\n');
  reader_->start();
  io_.run_one();
  EXPECT_EQ(lines_.size(), OutputReader::kBytesPerTurn / kLine)
      << "one turn, then others have theirs";
  while (lines_.size() < kLines) io_.run_one();
}

// A writer that is a little slower than its reader leaves the pipe empty again and again.
TEST_F(OutputReaderTest, AFloodInPiecesWaitsAsWell) {
  const auto begin = std::chrono::steady_clock::now();
  const std::string piece = std::string(1023, 'x') + '\n';
  constexpr std::size_t kPieces = 5 * OutputReader::kBytesPerTurn / 1024;
  reader_->start();
  for (std::size_t i = 0; i < kPieces; ++i) {
    write(piece);
    while (lines_.size() <= i) io_.run_one();
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 4 * OutputReader::kTurn);
}

TEST_F(OutputReaderTest, AFloodOfLinesWaitsLongerThanOneOfBytes) {
  const auto begin = std::chrono::steady_clock::now();
  write(std::string(20'000, '\n'));
  reader_->start();
  while (lines_.size() < 20'000) io_.run_one();
  const auto turns = (std::chrono::steady_clock::now() - begin) / OutputReader::kTurn + 1;
  constexpr std::size_t kMostPerTurn = OutputReader::kBytesPerTurn / OutputReader::kLeastPerLine;
  constexpr std::size_t kRead = 4096;
  EXPECT_LE(lines_.size(), static_cast<std::size_t>(turns) * kMostPerTurn + 2 * kRead);
  EXPECT_GT(turns, 5);
}

TEST_F(OutputReaderTest, FinishIsNotHeldUpByAFloodOfLines) {
  write(std::string(60'000, '\n'));
  reader_->finish();
  EXPECT_LE(lines_.size(), 4096u);
}

TEST_F(OutputReaderTest, EndOfFileEndsTheReading) {
  reader_->start();
  write_.reset();
  io_.run();
  EXPECT_TRUE(lines_.empty());
}

}  // namespace
}  // namespace viaduct::daemon::master
