#include "protocol/keyed_hash.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/colliding_names.hpp"

namespace viaduct::protocol {
namespace {

// By the authors' reference with one and three rounds, which with two and four gives their vectors.
TEST(KeyedHash, IsSipHash13) {
  constexpr HashKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  const struct {
    std::size_t size;
    std::uint64_t hash;
  } cases[] = {{0, 0xabac0158050fc4dc}, {1, 0xc9f49bf37d57ca93},  {7, 0xd3927d989bb11140},
               {8, 0x369095118d299a8e}, {15, 0xd320d86d2a519956}, {63, 0x9d199062b7bbb3a8}};
  for (const auto& c : cases) {
    std::string text;
    for (std::size_t i = 0; i < c.size; ++i) text.push_back(static_cast<char>(i));
    EXPECT_EQ(keyed_hash(text, key), c.hash) << c.size;
  }
}

TEST(KeyedHash, OtherKeysGiveOtherHashes) {
  EXPECT_NE(keyed_hash("HTTP_X", {1, 2}), keyed_hash("HTTP_X", {1, 3}));
  EXPECT_NE(keyed_hash("HTTP_X", {1, 2}), keyed_hash("HTTP_X", {2, 2}));
}

TEST(KeyedHash, KeyOfTheProcessStaysAndIsNoConstant) {
  EXPECT_EQ(KeyedHash{}("HTTP_X"), KeyedHash{}("HTTP_X"));
  const HashKey key = process_hash_key();
  EXPECT_FALSE(key.first == 0 && key.second == 0);
}

// 980 names of header fields in one bucket: with the key of which they were made, and with that of
// this process. bench.doubling counts what parsers do with them.
TEST(KeyedHash, NamesThatCollideUnderAKeyDoNotUnderThatOfTheProcess) {
  constexpr std::size_t kNames = 980;
  constexpr std::size_t kBuckets = 2048;
  constexpr HashKey kKnown{};
  const auto names = test::colliding_names("HTTP_", kNames, kKnown, kBuckets);
  const auto fullest = [&](HashKey key) {
    std::vector<std::size_t> counts(kBuckets);
    for (const std::string& name : names) ++counts[keyed_hash(name, key) % kBuckets];
    return *std::max_element(counts.begin(), counts.end());
  };
  EXPECT_EQ(fullest(kKnown), kNames);
  // Of random names the fullest has five or six; more than 16 in one of 10^15 runs.
  EXPECT_LE(fullest(process_hash_key()), 16u);
}

}  // namespace
}  // namespace viaduct::protocol
