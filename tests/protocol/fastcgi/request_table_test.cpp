#include "protocol/fastcgi/request_table.hpp"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace viaduct::protocol::fastcgi {
namespace {

TEST(RequestTable, FindsWhatWasInserted) {
  RequestTable table;
  EXPECT_EQ(table.find(1), nullptr);
  table.insert(1).received = 11;
  table.insert(65535).received = 22;
  EXPECT_EQ(table.find(1)->received, 11u);
  EXPECT_EQ(table.find(65535)->received, 22u);
  EXPECT_EQ(table.find(2), nullptr);
  EXPECT_EQ(table.find(0), nullptr);
  table.erase(1);
  table.erase(7);
  EXPECT_EQ(table.find(1), nullptr);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table.insert(1).received, 0u);
}

TEST(RequestTable, EveryIdAtOnce) {
  RequestTable table;
  for (std::uint32_t id = 1; id <= 65535; ++id)
    table.insert(static_cast<RequestId>(id)).received = id;
  EXPECT_EQ(table.size(), 65535u);
  for (std::uint32_t id = 1; id <= 65535; ++id) {
    ASSERT_EQ(table.find(static_cast<RequestId>(id))->received, id);
  }
  for (std::uint32_t id = 65535; id >= 1; --id) table.erase(static_cast<RequestId>(id));
  EXPECT_EQ(table.size(), 0u);
}

TEST(RequestTable, AgreesWithAMapThroughAnySequence) {
  std::mt19937 random(11);
  RequestTable table;
  std::map<RequestId, std::uint64_t> expected;
  for (std::uint64_t step = 0; step < 50000; ++step) {
    // Few homes, so that probing and gap closing are exercised.
    const auto id = static_cast<RequestId>(1 + random() % 8 * 64 + random() % 6);
    if (expected.contains(id)) {
      ASSERT_EQ(table.find(id)->received, expected[id]);
      table.erase(id);
      expected.erase(id);
    } else {
      ASSERT_EQ(table.find(id), nullptr);
      table.insert(id).received = step;
      expected[id] = step;
    }
    ASSERT_EQ(table.size(), expected.size());
  }
  for (const auto& [id, value] : expected) EXPECT_EQ(table.find(id)->received, value);
}

}  // namespace
}  // namespace viaduct::protocol::fastcgi
