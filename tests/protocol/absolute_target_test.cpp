#include "protocol/absolute_target.hpp"

#include <initializer_list>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "protocol/pairs.hpp"

namespace viaduct::protocol {
namespace {

std::string taken(std::initializer_list<std::pair<const char*, const char*>> variables) {
  Pairs params;
  for (const auto& [name, value] : variables) params.add(name, value);
  take_absolute_target(params);
  std::string text;
  for (const auto [name, value] : params) {
    text.append(name).append("=").append(value).append(" ");
  }
  return text;
}

// RFC 9112 section 3.2.2. Apache passes the target on as it came.
TEST(AbsoluteTarget, CountsAsPathQueryAndHost) {
  EXPECT_EQ(taken({{"REQUEST_URI", "http://other.org/zz?x=1"}, {"HTTP_HOST", "h"}}),
            "REQUEST_URI=/zz?x=1 HTTP_HOST=other.org ");
  EXPECT_EQ(taken({{"HTTP_HOST", "h"}, {"REQUEST_URI", "HTTPS://other.org:81?x"}}),
            "HTTP_HOST=other.org:81 REQUEST_URI=/?x ");
  EXPECT_EQ(taken({{"HTTP_X_URI", "/"}, {"REQUEST_URI", "http://other.org"}}),
            "HTTP_X_URI=/ REQUEST_URI=/ HTTP_HOST=other.org ");
  EXPECT_EQ(taken({}), "");
}

TEST(AbsoluteTarget, OthersStay) {
  for (const char* const other : {"/zz?x=http://other.org/", "*", "", "http:///zz", "ftp://h/",
                                  "http://user@h/", "http://h:x/", "http:/h", "//h/zz"}) {
    EXPECT_EQ(taken({{"REQUEST_URI", other}, {"HTTP_HOST", "h"}}),
              std::string("REQUEST_URI=") + other + " HTTP_HOST=h ");
  }
}

}  // namespace
}  // namespace viaduct::protocol
