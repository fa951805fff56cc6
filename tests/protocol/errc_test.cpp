#include "protocol/errc.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "protocol/message.hpp"

namespace viaduct::protocol {
namespace {

constexpr auto kLast = Errc::unwanted_upgrade;

TEST(Errc, EveryValueHasAPhraseOfItsOwn) {
  std::set<std::string> phrases;
  for (int value = 0; value <= static_cast<int>(kLast); ++value) {
    phrases.insert(describe(static_cast<Errc>(value)));
  }
  EXPECT_EQ(phrases.size(), static_cast<std::size_t>(kLast) + 1);
  EXPECT_FALSE(phrases.contains("unknown error"));
  EXPECT_STREQ(describe(static_cast<Errc>(static_cast<int>(kLast) + 1)), "unknown error");
}

TEST(Errc, FramingErrorsKillTheConnectionOthersTheRequest) {
  EXPECT_FALSE(fatal_to_connection(Errc::ok));
  EXPECT_TRUE(fatal_to_connection(Errc::bad_version));
  EXPECT_TRUE(fatal_to_connection(Errc::head_incomplete));
  EXPECT_FALSE(fatal_to_connection(Errc::bad_params));
  EXPECT_FALSE(fatal_to_connection(Errc::body_truncated));
  EXPECT_FALSE(fatal_to_connection(Errc::forbidden_field));
}

TEST(Errc, ConvertsToErrorCode) {
  const std::error_code code = Errc::bad_params;
  EXPECT_EQ(code.category(), protocol_category());
  EXPECT_STREQ(code.category().name(), "viaduct.protocol");
  EXPECT_EQ(code.message(), describe(Errc::bad_params));
}

TEST(Message, StatusesWithoutABody) {
  for (const int status : {100, 199, 204, 304}) EXPECT_TRUE(bodiless(status)) << status;
  for (const int status : {100, 204, 205, 304}) EXPECT_TRUE(contentless(status)) << status;
  for (const int status : {200, 206, 302, 404, 500}) EXPECT_FALSE(contentless(status)) << status;
  for (const int status : {200, 205, 206, 302, 404, 500}) EXPECT_FALSE(bodiless(status)) << status;
}

TEST(Message, ReasonPhrases) {
  EXPECT_STREQ(reason_phrase(200), "OK");
  EXPECT_STREQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_STREQ(reason_phrase(299), "Unknown");
}

}  // namespace
}  // namespace viaduct::protocol
