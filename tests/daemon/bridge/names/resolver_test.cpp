#include "daemon/bridge/names/resolver.hpp"

#include <optional>

#include "tests/daemon/bridge/names/lookup_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using std::chrono::seconds;
using Texts = std::vector<std::string>;

class ResolverTest : public LookupTest {
 protected:
  Resolution look_up(const std::string& name, Resolver::Known known = {}) {
    std::optional<Resolution> result;
    const auto lookup = resolver.look_up(name, known, [&](const Resolution& r) { result = r; });
    EXPECT_FALSE(result) << "answered from within";
    until([&] { return result.has_value(); }, "an answer for " + name);
    return result.value_or(Resolution{});
  }

  Resolver resolver{reactor, dns.address()};
};

TEST_F(ResolverTest, BothKindsOfAddressesAreFoundWithTheSmallestTtl) {
  dns.answer("shop.test", FakeDns::a) = {.addresses = {"10.0.0.2", "10.0.0.1"}, .ttl = 40};
  dns.answer("shop.test", FakeDns::aaaa) = {.addresses = {"fd00::1"}, .ttl = 30};
  const Resolution found = look_up("shop.test");
  EXPECT_EQ(texts(found.addresses), (Texts{"10.0.0.1", "10.0.0.2", "fd00::1"}));
  EXPECT_EQ(found.ttl, seconds(30));
  EXPECT_EQ(found.failure, "");
}

TEST_F(ResolverTest, OneKindIsEnough) {
  for (const auto& [type, address] :
       {std::pair{FakeDns::a, "10.0.0.1"}, {FakeDns::aaaa, "fd00::1"}}) {
    const std::string name = type == FakeDns::a ? "four.test" : "six.test";
    dns.answer(name, FakeDns::a) = {};
    dns.answer(name, FakeDns::aaaa) = {};
    dns.answer(name, type) = {.addresses = {address}, .ttl = 0};
    const Resolution found = look_up(name);
    EXPECT_EQ(texts(found.addresses), Texts{address});
    EXPECT_EQ(found.ttl, seconds(0));
    EXPECT_FALSE(found.ipv4_unknown);
    EXPECT_FALSE(found.ipv6_unknown);
  }
}

TEST_F(ResolverTest, TheTtlOfAnAliasCounts) {
  for (const auto type : {FakeDns::a, FakeDns::aaaa}) {
    dns.answer("www.test", type) = {.addresses = {type == FakeDns::a ? "10.0.0.1" : "fd00::1"},
                                    .ttl = 50,
                                    .alias = "real.test",
                                    .alias_ttl = 7};
  }
  const Resolution found = look_up("www.test");
  EXPECT_EQ(texts(found.addresses), (Texts{"10.0.0.1", "fd00::1"}));
  EXPECT_EQ(found.ttl, seconds(7));
}

TEST_F(ResolverTest, WhatDoesNotFitIsAskedForByTcp) {
  FakeDns::Answer& answer = dns.answer("big.test", FakeDns::a);
  for (int i = 1; i <= 250; ++i) answer.addresses.push_back("10.0.0." + std::to_string(i));
  answer.truncated = true;
  dns.answer("big.test", FakeDns::aaaa) = {};
  EXPECT_EQ(look_up("big.test").addresses.size(), 250u);
  EXPECT_GE(dns.by_tcp(), 1u);
}

TEST_F(ResolverTest, FailuresSayWhy) {
  dns.answer("broken.test", FakeDns::a).status = FakeDns::servfail;
  dns.answer("broken.test", FakeDns::aaaa).status = FakeDns::servfail;
  dns.answer("empty.test", FakeDns::a) = {};
  dns.answer("empty.test", FakeDns::aaaa) = {};
  for (const std::string name : {"missing.test", "broken.test", "empty.test"}) {
    const Resolution found = look_up(name);
    EXPECT_TRUE(found.addresses.empty());
    EXPECT_NE(found.failure, "") << name;
  }
  EXPECT_NE(look_up("missing.test").failure, look_up("broken.test").failure);
}

TEST_F(ResolverTest, AServerThatSaysNothingIsAskedAgainAndThenGivenUp) {
  dns.answer("silent.test", FakeDns::a).silent = true;
  dns.answer("silent.test", FakeDns::aaaa).silent = true;
  const Resolution found = look_up("silent.test");
  EXPECT_NE(found.failure, "");
  EXPECT_EQ(dns.questions("silent.test", FakeDns::a), 3u);
}

TEST_F(ResolverTest, AKnownKindThatIsLackingIsAskedForOnceMore) {
  dns.answer("shop.test", FakeDns::a) = {.addresses = {"10.0.0.1"}, .ttl = 20};
  FakeDns::Answer& six = dns.answer("shop.test", FakeDns::aaaa);
  const Resolver::Known both{.ipv4 = true, .ipv6 = true};

  six = {.status = FakeDns::servfail};
  Resolution found = look_up("shop.test", both);
  EXPECT_EQ(texts(found.addresses), Texts{"10.0.0.1"});
  EXPECT_TRUE(found.ipv6_unknown);
  EXPECT_FALSE(found.ipv4_unknown);

  for (const auto status : {FakeDns::ok, FakeDns::nxdomain}) {
    six = {.status = status};
    found = look_up("shop.test", both);
    EXPECT_EQ(texts(found.addresses), Texts{"10.0.0.1"});
    EXPECT_FALSE(found.ipv6_unknown) << "it was said that there is none";
  }

  six = {.status = FakeDns::servfail};
  found = look_up("shop.test", {.ipv4 = true});
  EXPECT_FALSE(found.ipv6_unknown) << "of a kind that is not known";
}

TEST_F(ResolverTest, LocalhostNeedsNoServer) {
  Resolver lonely(reactor, "127.0.0.1:1");
  std::optional<Resolution> found;
  const auto lookup = lonely.look_up("localhost", {}, [&](const Resolution& r) { found = r; });
  until([&] { return found.has_value(); }, "an answer");
  EXPECT_EQ(texts(found->addresses).front(), "127.0.0.1");
  EXPECT_FALSE(found->ttl) << "it has a TTL";
}

TEST_F(ResolverTest, AServerThatIsNotThereIsAFailure) {
  Resolver lonely(reactor, "127.0.0.1:1");
  std::optional<Resolution> found;
  const auto lookup = lonely.look_up("shop.test", {}, [&](const Resolution& r) { found = r; });
  until([&] { return found.has_value(); }, "an answer");
  EXPECT_TRUE(found->addresses.empty());
  EXPECT_NE(found->failure, "");
}

TEST_F(ResolverTest, NothingIsToldOfALookupThatWasGivenUp) {
  dns.answer("shop.test", FakeDns::a) = {.addresses = {"10.0.0.1"}};
  dns.answer("shop.test", FakeDns::aaaa) = {};
  bool told = false;
  auto given_up = resolver.look_up("shop.test", {}, [&](const Resolution&) { told = true; });
  until([&] { return dns.questions("shop.test", FakeDns::a) > 0; }, "the question");
  given_up.reset();
  look_up("shop.test");
  EXPECT_FALSE(told);
  auto at_once = resolver.look_up("localhost", {}, [&](const Resolution&) { told = true; });
  at_once.reset();
  look_up("localhost");
  EXPECT_FALSE(told);
}

TEST_F(ResolverTest, ALookupMayEndInsideItsAnswer) {
  std::shared_ptr<Lookup> lookup;
  bool told = false;
  lookup = resolver.look_up("missing.test", {}, [&](const Resolution&) {
    lookup.reset();
    told = true;
  });
  until([&] { return told; }, "an answer");
}

TEST_F(ResolverTest, ManyAtATime) {
  std::vector<std::shared_ptr<Lookup>> lookups;
  std::size_t found = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string name = "n" + std::to_string(i) + ".test";
    const std::string address = "10.0.1." + std::to_string(i);
    dns.answer(name, FakeDns::a) = {.addresses = {address}};
    dns.answer(name, FakeDns::aaaa) = {};
    lookups.push_back(resolver.look_up(name, {}, [&found, address](const Resolution& r) {
      EXPECT_EQ(texts(r.addresses), Texts{address}) << r.failure;
      ++found;
    }));
  }
  until([&] { return found == 100; }, "all answers");
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
