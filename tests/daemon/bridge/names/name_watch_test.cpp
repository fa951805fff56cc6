#include "daemon/bridge/names/name_watch.hpp"

#include "tests/daemon/bridge/names/lookup_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using std::chrono::seconds;
using Texts = std::vector<std::string>;

class NameWatchTest : public LookupTest {
 protected:
  std::shared_ptr<NameWatch> watch(const std::string& name) {
    auto made = std::make_shared<NameWatch>(
        reactor, resolver, name,
        [this](const ServerNames::Change& change) { changes.push_back(change); });
    made->start();
    return made;
  }
  const ServerNames::Change& change(std::size_t number) {
    until([&] { return changes.size() > number; }, "answer " + std::to_string(number));
    return changes.at(number);
  }

  Resolver resolver{reactor, dns.address()};
  std::vector<ServerNames::Change> changes;
};

TEST_F(NameWatchTest, AsksAgainWhenTheTtlHasPassed) {
  FakeDns::Answer& four = dns.answer("shop.test", FakeDns::a);
  dns.answer("shop.test", FakeDns::aaaa) = {};
  four = {.addresses = {"10.0.0.1", "10.0.0.2"}, .ttl = 1};
  const auto watched = watch("shop.test");
  EXPECT_EQ(texts(change(0).added), (Texts{"10.0.0.1", "10.0.0.2"}));
  const auto first = Clock::now();
  four = {.addresses = {"10.0.0.2", "10.0.0.3"}, .ttl = 300};
  EXPECT_EQ(texts(change(1).added), Texts{"10.0.0.3"});
  EXPECT_EQ(texts(changes[1].removed), Texts{"10.0.0.1"});
  EXPECT_GE(Clock::now() - first, std::chrono::milliseconds(900));
  EXPECT_EQ(changes[1].ask_again, seconds(300));
  EXPECT_GE(dns.questions("shop.test", FakeDns::a), 2u);
}

TEST_F(NameWatchTest, AsksAgainUntilTheNameExists) {
  const auto watched = watch("shop.test");
  EXPECT_TRUE(change(0).failing);
  EXPECT_EQ(changes[0].ask_again, seconds(1));
  EXPECT_FALSE(change(1).failing);
  EXPECT_EQ(changes[1].ask_again, seconds(2));
  dns.answer("shop.test", FakeDns::a) = {};
  dns.answer("shop.test", FakeDns::aaaa) = {.addresses = {"fd00::1"}};
  EXPECT_TRUE(change(2).resolved_again);
  EXPECT_EQ(texts(changes[2].added), Texts{"fd00::1"});
}

TEST_F(NameWatchTest, AKindThatIsNotAnsweredIsKept) {
  dns.answer("shop.test", FakeDns::a) = {.addresses = {"10.0.0.1"}, .ttl = 1};
  FakeDns::Answer& six = dns.answer("shop.test", FakeDns::aaaa);
  six = {.addresses = {"fd00::1"}, .ttl = 1};
  const auto watched = watch("shop.test");
  EXPECT_EQ(change(0).added.size(), 2u);
  six = {.status = FakeDns::servfail};
  EXPECT_TRUE(change(1).removed.empty());
  six = {};
  EXPECT_EQ(texts(change(2).removed), Texts{"fd00::1"});
}

TEST_F(NameWatchTest, EndsWhenItIsDestroyed) {
  dns.answer("shop.test", FakeDns::a) = {.addresses = {"10.0.0.1"}, .ttl = 1};
  dns.answer("shop.test", FakeDns::aaaa) = {};
  auto ended = watch("shop.test");
  change(0);
  ended.reset();
  auto other = watch("other.test");  // asks again after a second as well
  change(2);
  EXPECT_EQ(dns.questions("shop.test", FakeDns::a), 1u);
  auto asking = watch("third.test");
  asking.reset();
  change(3);
  EXPECT_EQ(changes.size(), 4u);
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
