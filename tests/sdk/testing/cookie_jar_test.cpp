#include "sdk/src/testing/cookie_jar.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::testing {
namespace {

using Clock = CookieJar::Clock;
using std::chrono::seconds;

const Clock::time_point kNow{};

CookieJar jar_of(const std::vector<std::string>& cookies, std::string_view path = "/") {
  Fields answer;
  for (const std::string& cookie : cookies) answer.add("Set-Cookie", cookie);
  CookieJar jar;
  jar.store(answer, path, kNow);
  return jar;
}

TEST(CookieJar, PathsDecideWhatIsSent) {
  const CookieJar jar = jar_of({"all=1; Path=/", "notes=2; Path=/notes", "dir=3; Path=/a/"});
  const std::vector<std::pair<std::string, std::string>> table = {
      {"/", "all=1"},
      {"/notes", "notes=2; all=1"},
      {"/notes/7", "notes=2; all=1"},
      {"/notesbook", "all=1"},
      {"/a", "all=1"},
      {"/a/b", "dir=3; all=1"},
  };
  for (const auto& [path, sent] : table) EXPECT_EQ(jar.header(path, true, kNow), sent) << path;
}

TEST(CookieJar, WithoutPathTheRequestsDirectoryCounts) {
  const CookieJar jar = jar_of({"a=1", "b=2; Path=relative"}, "/shop/cart");
  EXPECT_EQ(jar.header("/shop/pay", true, kNow), "a=1; b=2");
  EXPECT_EQ(jar.header("/blog", true, kNow), "");
  EXPECT_EQ(jar_of({"a=1"}, "/shop").header("/blog", true, kNow), "a=1");
}

TEST(CookieJar, MaxAgeEndsACookie) {
  CookieJar jar = jar_of({"a=1; Max-Age=10", "b=2; max-age=x", "c=3; Max-Age=-1"});
  EXPECT_EQ(jar.header("/", true, kNow + seconds(9)), "a=1; b=2");
  EXPECT_EQ(jar.header("/", true, kNow + seconds(10)), "b=2");
  EXPECT_EQ(jar.value("a", kNow + seconds(9)), "1");
  EXPECT_EQ(jar.value("a", kNow + seconds(10)), std::nullopt);
  EXPECT_EQ(jar.value("c", kNow), std::nullopt);
}

TEST(CookieJar, ALaterCookieReplacesOneOfTheSameNameAndPath) {
  CookieJar jar = jar_of({"a=1; Path=/", "a=2; Path=/x", "a=3; Path=/"});
  EXPECT_EQ(jar.header("/x", true, kNow), "a=2; a=3");
  jar.clear();
  EXPECT_EQ(jar.header("/x", true, kNow), "");
}

TEST(CookieJar, SecureOnesNeedASecureRequest) {
  const CookieJar jar = jar_of({"a=1; Secure; HttpOnly", "b=x=y; SameSite=Lax"});
  EXPECT_EQ(jar.header("/", true, kNow), "a=1; b=x=y");
  EXPECT_EQ(jar.header("/", false, kNow), "b=x=y");
}

TEST(CookieJar, WhatIsNoPairIsIgnored) {
  EXPECT_EQ(jar_of({"", "novalue", "; Path=/"}).header("/", true, kNow), "");
}

}  // namespace
}  // namespace viaduct::testing
