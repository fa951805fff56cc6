#include "sdk/src/request_ids.hpp"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace viaduct::detail {
namespace {

using ::testing::HasSubstr;

protocol::Pairs pairs(const std::vector<std::pair<std::string, std::string>>& list) {
  protocol::Pairs pairs;
  for (const auto& [name, value] : list) pairs.add(name, value);
  return pairs;
}

TEST(RequestIdsTest, NamesBecomeVariables) {
  const struct {
    const char* names;
    std::vector<std::string> variables;
  } cases[] = {
      {"REQUEST_ID", {"REQUEST_ID"}},
      {"X-Request-Id", {"HTTP_X_REQUEST_ID"}},
      {"X-TRACE", {"HTTP_X_TRACE"}},
      {"Traceparent,UNIQUE_ID", {"HTTP_TRACEPARENT", "UNIQUE_ID"}},
      {"none", {}},
  };
  for (const auto& c : cases) EXPECT_EQ(RequestIds(c.names).variables(), c.variables) << c.names;
}

TEST(RequestIdsTest, WhatIsNoNameIsNamedInTheError) {
  for (const char* names : {"", "A,", ",A", "A B", "X-Id:", "A,,B"}) {
    EXPECT_THROW(RequestIds{names}, std::invalid_argument) << names;
  }
  try {
    const RequestIds ids("REQUEST_ID,X Id");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"X Id\""));
  }
}

TEST(RequestIdsTest, FirstUsableOneIsTaken) {
  const RequestIds ids("A,B");
  EXPECT_EQ(ids.id_of(pairs({{"B", "b"}, {"A", "a"}})), "a");
  EXPECT_EQ(ids.id_of(pairs({{"A", ""}, {"B", "b"}})), "b");
  EXPECT_EQ(ids.id_of(pairs({{"A", "two words"}, {"B", "b"}})), "b");
  EXPECT_EQ(ids.id_of(pairs({{"A", std::string(129, 'x')}, {"B", "b"}})), "b");
  EXPECT_EQ(ids.id_of(pairs({{"A", std::string(128, 'x')}, {"B", "b"}})), std::string(128, 'x'));
}

TEST(RequestIdsTest, MadeOnesDiffer) {
  const RequestIds ids("none");
  const auto sent = pairs({{"REQUEST_ID", "a"}});
  const std::string first = ids.id_of(sent);
  EXPECT_EQ(first.size(), 20U);
  EXPECT_NE(first, ids.id_of(sent));
  EXPECT_EQ(RequestIds::usual().id_of(sent), "a");
}

}  // namespace
}  // namespace viaduct::detail
