// Cases in every way of ending, for run_shard_test.py, which names those it runs.

#include <csignal>
#include <iostream>

#include <gtest/gtest.h>

TEST(IllCases, Passes) {}

TEST(IllCases, Fails) {
  EXPECT_EQ(1, 2);
}

TEST(IllCases, IsSkipped) {
  GTEST_SKIP();
}

TEST(IllCases, Crashes) {
  std::cerr << "about to crash\n";
  std::raise(SIGKILL);
}

TEST(IllCases, Hangs) {
  sigset_t none;
  sigemptyset(&none);
  sigsuspend(&none);
}

class Numbered : public testing::TestWithParam<int> {};
TEST_P(Numbered, Passes) {}
INSTANTIATE_TEST_SUITE_P(Many, Numbered, testing::Range(0, 10));
