#include "daemon/bridge/front/http_date.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

TEST(HttpDate, IsAnImfFixdate) {
  HttpDate date;
  EXPECT_EQ(date.text(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110 section 5.6.7
  EXPECT_EQ(date.text(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.text(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(date.text(1709164799), "Wed, 28 Feb 2024 23:59:59 GMT");
  EXPECT_EQ(date.text(1709164800), "Thu, 29 Feb 2024 00:00:00 GMT");
}

TEST(HttpDate, IsLeftOutWhereTheYearHasNoFourDigits) {
  HttpDate date;
  EXPECT_EQ(date.text(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(date.text(253402300800), "");
}

}  // namespace
}  // namespace viaduct::daemon::bridge
