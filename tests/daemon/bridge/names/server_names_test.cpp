#include "daemon/bridge/names/server_names.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using std::chrono::seconds;
using Addresses = std::vector<std::string>;

std::vector<IpAddress> parse(const Addresses& texts) {
  std::vector<IpAddress> addresses;
  for (const std::string& text : texts) addresses.push_back(boost::asio::ip::make_address(text));
  return addresses;
}

Addresses format(const std::vector<IpAddress>& addresses) {
  Addresses texts;
  for (const IpAddress& address : addresses) texts.push_back(address.to_string());
  return texts;
}

Resolution answer(const Addresses& addresses, std::optional<seconds> ttl = seconds(60)) {
  return {.addresses = parse(addresses), .ttl = ttl};
}

Resolution failure(const std::string& why) {
  return {.failure = why};
}

Addresses many(std::size_t count, int network = 1) {
  Addresses texts;
  for (std::size_t i = 1; i <= count; ++i) {
    texts.push_back("10.0." + std::to_string(network) + '.' + std::to_string(i));
  }
  return texts;
}

TEST(ServerNames, AnswersReplaceWhatWasKnown) {
  struct Step {
    Addresses answer;
    Addresses added;
    Addresses removed;
    Addresses known;
  };
  const std::vector<Step> steps = {
      {{"10.0.0.2", "10.0.0.1"}, {"10.0.0.1", "10.0.0.2"}, {}, {"10.0.0.1", "10.0.0.2"}},
      {{"10.0.0.1", "10.0.0.2"}, {}, {}, {"10.0.0.1", "10.0.0.2"}},
      {{"10.0.0.2", "10.0.0.2"}, {}, {"10.0.0.1"}, {"10.0.0.2"}},
      {{"10.0.0.3", "fd00::1"}, {"10.0.0.3", "fd00::1"}, {"10.0.0.2"}, {"10.0.0.3", "fd00::1"}},
      {{"fd00::1"}, {}, {"10.0.0.3"}, {"fd00::1"}},
      {{"10.0.0.3", "fd00::2"}, {"10.0.0.3", "fd00::2"}, {"fd00::1"}, {"10.0.0.3", "fd00::2"}},
  };
  ServerNames names;
  for (const Step& step : steps) {
    const auto change = names.update(answer(step.answer));
    EXPECT_EQ(format(change.added), step.added);
    EXPECT_EQ(format(change.removed), step.removed);
    EXPECT_EQ(format(names.known()), step.known);
    EXPECT_FALSE(change.failing);
    EXPECT_FALSE(change.resolved_again);
  }
  EXPECT_TRUE(names.knows_ipv4());
  EXPECT_TRUE(names.knows_ipv6());
}

TEST(ServerNames, IsAskedForAgainAfterItsTtlWithinBounds) {
  const std::vector<std::pair<std::optional<seconds>, seconds>> table = {
      {seconds(-1), seconds(1)},    {seconds(0), seconds(1)},     {seconds(1), seconds(1)},
      {seconds(2), seconds(2)},     {seconds(299), seconds(299)}, {seconds(300), seconds(300)},
      {seconds(301), seconds(300)}, {seconds(86400), kMaxTtl},    {std::nullopt, seconds(10)},
  };
  for (const auto& [ttl, after] : table) {
    ServerNames names;
    EXPECT_EQ(names.update(answer({"10.0.0.1"}, ttl)).ask_again, after);
  }
}

TEST(ServerNames, FailuresKeepWhatIsKnownAndAreTriedAgainMoreAndMoreSlowly) {
  ServerNames names;
  names.update(answer({"10.0.0.1", "fd00::1"}));
  for (int round = 0; round < 2; ++round) {
    bool first = true;
    for (const int wait : {1, 2, 4, 8, 16, 30, 30}) {
      const auto change = names.update(failure(first ? "no such name" : "timed out"));
      EXPECT_EQ(change.ask_again, seconds(wait));
      EXPECT_TRUE(change.added.empty());
      EXPECT_TRUE(change.removed.empty());
      EXPECT_EQ(change.failing, first ? std::optional<std::string>("no such name") : std::nullopt);
      first = false;
    }
    EXPECT_EQ(format(names.known()), (Addresses{"10.0.0.1", "fd00::1"}));
    const auto change = names.update(answer({"10.0.0.1", "fd00::1"}));
    EXPECT_TRUE(change.resolved_again);
    EXPECT_TRUE(change.added.empty());
    EXPECT_TRUE(change.removed.empty());
    EXPECT_FALSE(names.update(answer({"10.0.0.1", "fd00::1"})).resolved_again);
  }
}

TEST(ServerNames, TheFirstFailureIsTold) {
  ServerNames names;
  EXPECT_EQ(names.update(failure("no such name")).failing, "no such name");
  EXPECT_TRUE(names.known().empty());
  const auto change = names.update(answer({"10.0.0.1"}));
  EXPECT_TRUE(change.resolved_again);
  EXPECT_EQ(format(change.added), Addresses{"10.0.0.1"});
}

TEST(ServerNames, AKindThatCouldNotBeAskedForIsKept) {
  ServerNames names;
  names.update(answer({"10.0.0.1", "fd00::1", "fd00::2"}, seconds(300)));
  auto partly = answer({"10.0.0.2"}, seconds(300));
  partly.ipv6_unknown = true;
  for (const int wait : {1, 2, 4, 8, 16, 30, 30}) {
    const auto change = names.update(partly);
    EXPECT_EQ(format(names.known()), (Addresses{"10.0.0.2", "fd00::1", "fd00::2"}));
    EXPECT_FALSE(change.failing);
    EXPECT_EQ(change.ask_again, seconds(wait));
  }
  partly = answer({"fd00::2"}, seconds(3));
  partly.ipv4_unknown = true;
  EXPECT_EQ(names.update(partly).ask_again, seconds(3));
  EXPECT_EQ(format(names.known()), (Addresses{"10.0.0.2", "fd00::2"}));
  const auto change = names.update(answer({"fd00::2"}, seconds(300)));
  EXPECT_EQ(format(change.removed), Addresses{"10.0.0.2"});
  EXPECT_EQ(change.ask_again, seconds(300));
  partly = answer({"fd00::2"}, seconds(300));
  partly.ipv4_unknown = true;
  EXPECT_EQ(names.update(partly).ask_again, seconds(1)) << "the back-off begins anew";
}

TEST(ServerNames, AtMost64AddressesAreUsed) {
  for (const std::size_t count : {kMaxAddresses - 1, kMaxAddresses, kMaxAddresses + 1}) {
    ServerNames names;
    const std::size_t beyond = count - std::min(count, kMaxAddresses);
    const auto change = names.update(answer(many(count)));
    EXPECT_EQ(change.added.size(), count - beyond);
    EXPECT_EQ(names.known().size(), count - beyond);
    EXPECT_EQ(change.left_out, beyond);
    EXPECT_EQ(names.update(answer(many(count))).left_out, 0u) << "told again";
  }
}

TEST(ServerNames, ThoseInUseHavePrecedenceOverNewOnes) {
  ServerNames names;
  names.update(answer(many(63, 9)));
  auto longer = many(64, 1);  // these sort before
  for (const std::string& text : many(62, 9)) longer.push_back(text);
  const auto change = names.update(answer(longer));
  EXPECT_EQ(format(change.removed), Addresses{"10.0.9.63"});
  EXPECT_EQ(change.added.size(), 2u);
  EXPECT_EQ(change.left_out, 62u);
  EXPECT_EQ(names.known().size(), kMaxAddresses);
}

TEST(ServerNames, AKindThatIsKeptTakesPlaces) {
  ServerNames names;
  Addresses sixty;
  for (int i = 1; i <= 60; ++i) sixty.push_back("fd00::1:" + std::to_string(i));
  names.update(answer(sixty));
  auto partly = answer(many(64));
  partly.ipv6_unknown = true;
  const auto change = names.update(partly);
  EXPECT_TRUE(change.removed.empty());
  EXPECT_EQ(change.added.size(), 4u);
  EXPECT_EQ(change.left_out, 60u);
  EXPECT_EQ(names.known().size(), kMaxAddresses);
}

TEST(ServerNames, AddressesOfNoServerAreIgnoredAndToldOnce) {
  const std::vector<std::pair<std::string, bool>> table = {
      {"0.0.0.0", true},
      {"0.1.2.3", true},
      {"1.0.0.0", false},
      {"10.0.0.255", false},
      {"127.0.0.1", false},
      {"169.254.1.1", false},
      {"223.255.255.255", false},
      {"224.0.0.1", true},
      {"239.255.255.255", true},
      {"240.0.0.1", false},
      {"255.255.255.254", false},
      {"255.255.255.255", true},
      {"::", true},
      {"::1", false},
      {"fd00::1", false},
      {"fe80::1", true},
      {"febf::1", true},
      {"fec0::1", false},
      {"ff02::1", true},
      {"::ffff:0.0.0.0", true},
      {"::ffff:10.0.0.1", false},
      {"::ffff:224.0.0.1", true},
      {"::ffff:255.255.255.255", true},
  };
  for (const auto& [text, unusable] : table) {
    const IpAddress address = boost::asio::ip::make_address(text);
    EXPECT_EQ(is_unusable(address), unusable) << text;
    ServerNames names;
    const auto change = names.update(answer({text, "10.9.9.9"}));
    EXPECT_EQ(change.unusable.size(), unusable ? 1u : 0u) << text;
    EXPECT_EQ(change.added.size(), unusable ? 1u : 2u) << text;
    EXPECT_TRUE(names.update(answer({text, "10.9.9.9"})).unusable.empty()) << "told again";
  }
}

TEST(ServerNames, AnAnswerWithoutAUsableAddressIsAFailure) {
  ServerNames names;
  names.update(answer({"10.0.0.1"}));
  const auto change = names.update(answer({"0.0.0.0", "224.0.0.1"}));
  EXPECT_EQ(change.failing, "none of its addresses can be connected to");
  EXPECT_EQ(change.unusable.size(), 2u);
  EXPECT_TRUE(change.removed.empty());
  EXPECT_EQ(change.ask_again, seconds(1));
  EXPECT_EQ(format(names.known()), Addresses{"10.0.0.1"});
}

}  // namespace
}  // namespace viaduct::daemon::bridge
