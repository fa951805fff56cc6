#include "daemon/log/line_output.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace viaduct::daemon::log {
namespace {

class LineOutputTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kPipe = 4096;

  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);
    ASSERT_EQ(::pipe2(ends_.data(), O_NONBLOCK | O_CLOEXEC), 0);
    ASSERT_EQ(::fcntl(ends_[1], F_SETPIPE_SZ, static_cast<int>(kPipe)), static_cast<int>(kPipe));
  }
  void TearDown() override { ::close(ends_[0]); }

  // All that can be read now.
  std::string read() {
    std::string text;
    std::array<char, 64 * 1024> buffer;
    for (ssize_t size = 0; (size = ::read(ends_[0], buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return text;
  }
  void fill() {
    const std::string full(kPipe, 'f');
    ASSERT_EQ(::write(ends_[1], full.data(), full.size()), static_cast<ssize_t>(kPipe));
  }

  std::array<int, 2> ends_{-1, -1};
};

TEST_F(LineOutputTest, WhatIsNotTakenAtOnceFollows) {
  LineOutput output(ends_[1], 64);
  fill();
  EXPECT_EQ(output.write("one\n"), 0u);
  EXPECT_TRUE(output.waiting());
  EXPECT_EQ(read(), std::string(kPipe, 'f'));
  EXPECT_EQ(output.write("two\n"), 0u);
  EXPECT_FALSE(output.waiting());
  EXPECT_EQ(read(), "one\ntwo\n");
}

TEST_F(LineOutputTest, BeyondItsLimitWholeLinesAreLost) {
  for (const std::size_t most : {7u, 8u, 9u}) {
    LineOutput output(::dup(ends_[1]), most);
    fill();
    EXPECT_EQ(output.write("abc\nefg\n"), most < 8 ? 1u : 0u) << most;
    EXPECT_EQ(output.write("ijklmnop\nk23456789\n"), 2u) << most;
    (void)read();
    output.flush();
    EXPECT_EQ(read(), most < 8 ? "abc\n" : "abc\nefg\n") << most;
  }
  ::close(ends_[1]);
}

TEST_F(LineOutputTest, TheRestOfALineWaitsWhateverTheLimit) {
  LineOutput output(ends_[1], 0);
  const std::string line = std::string(kPipe + 100, 'x') + '\n';
  EXPECT_EQ(output.write(line + "lost\nlost\n"), 2u);
  EXPECT_EQ(output.write("lost\n"), 1u);
  std::string text = read();
  EXPECT_EQ(output.write("next\n"), 0u);
  text += read();
  EXPECT_EQ(text, line + "next\n");
}

TEST_F(LineOutputTest, WithoutAReaderEveryLineIsLostAndCounted) {
  LineOutput output(ends_[1], 1024);
  fill();
  EXPECT_EQ(output.write("waits\n"), 0u);
  ::close(ends_[0]);
  EXPECT_EQ(output.write("one\ntwo\n"), 3u);
  EXPECT_FALSE(output.waiting());
  EXPECT_EQ(output.write("three\n"), 1u);
}

TEST_F(LineOutputTest, WaitsForAReaderButNotForEver) {
  LineOutput output(ends_[1], 64);
  fill();
  EXPECT_EQ(output.write("last\n"), 0u);
  output.flush_for(1);
  EXPECT_TRUE(output.waiting());
  std::string text;
  std::thread reader([&] {
    while (text.find("last\n") == std::string::npos) text += read();
  });
  output.flush_for(60'000);
  EXPECT_FALSE(output.waiting());
  reader.join();
}

}  // namespace
}  // namespace viaduct::daemon::log
