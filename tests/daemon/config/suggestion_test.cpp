#include "daemon/config/suggestion.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::config {
namespace {

const std::vector<std::string_view> kKeys = {"workers",  "command", "env",
                                             "env_file", "umask",   "log"};

TEST(Suggestions, OneSlipOfAnyKindIsNear) {
  EXPECT_EQ(nearest("worker", kKeys), "workers");
  EXPECT_EQ(nearest("workerss", kKeys), "workers");
  EXPECT_EQ(nearest("wirkers", kKeys), "workers");
  EXPECT_EQ(nearest("wrokers", kKeys), "workers");
  EXPECT_EQ(nearest("envv", kKeys), "env");
  EXPECT_EQ(nearest("lgo", kKeys), "log");
}

TEST(Suggestions, LongerWordsMayHaveMoreSlips) {
  EXPECT_EQ(nearest("comandd", kKeys), "command");
  EXPECT_EQ(nearest("wrokerz", kKeys), "workers");
  EXPECT_EQ(nearest("xoyzers", kKeys), "");
  EXPECT_EQ(nearest("lxx", kKeys), "");
}

TEST(Suggestions, TheNearestWins) {
  EXPECT_EQ(nearest("env_fil", kKeys), "env_file");
  EXPECT_EQ(nearest("enf", kKeys), "env");
}

TEST(Suggestions, NothingIsSuggestedForNothingOrForNonsense) {
  EXPECT_EQ(nearest("", kKeys), "");
  EXPECT_EQ(nearest("zzz", kKeys), "");
  EXPECT_EQ(nearest("worker", {}), "");
  EXPECT_EQ(nearest(std::string(1'000'000, 'w'), kKeys), "");
  EXPECT_EQ(nearest("x", {"y"}), "");
  EXPECT_EQ(did_you_mean("worker", kKeys), "; did you mean \"workers\"?");
  EXPECT_EQ(did_you_mean("zzz", kKeys), "");
}

}  // namespace
}  // namespace viaduct::daemon::config
