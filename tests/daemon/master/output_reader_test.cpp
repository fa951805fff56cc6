#include "daemon/master/output_reader.hpp"

#include <fcntl.h>
#include <unistd.h>

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
  write(std::string(1 << 18, '\n'));
  reader_->start();
  io_.run_one();
  EXPECT_EQ(lines_.size(), OutputReader::kBytesPerTurn) << "one turn, then others have theirs";
  while (lines_.size() < (1u << 18)) io_.run_one();
}

TEST_F(OutputReaderTest, EndOfFileEndsTheReading) {
  reader_->start();
  write_.reset();
  io_.run();
  EXPECT_TRUE(lines_.empty());
}

}  // namespace
}  // namespace viaduct::daemon::master
