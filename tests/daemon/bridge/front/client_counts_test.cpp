#include "daemon/bridge/front/client_counts.hpp"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

protocol::IpBytes address(const std::string& text) {
  return std::get<protocol::PeerRule>(protocol::parse_peer_rule(text)).network;
}

TEST(ClientCounts, AsManyAsTheLimitForEachClient) {
  ClientCounts counts(2);
  std::vector<ClientCounts::Place> places;
  for (const auto& [client, taken] : std::vector<std::pair<const char*, bool>>{
           {"10.0.0.1", true},
           {"10.0.0.1", true},
           {"10.0.0.1", false},
           {"10.0.0.2", true},
           {"2001:db8:0:1::1", true},
           {"2001:db8:0:1:ffff::2", true},
           {"2001:db8:0:1::3", false},
           {"2001:db8:0:2::1", true},
       }) {
    ClientCounts::Place place = counts.enter(address(client));
    EXPECT_EQ(static_cast<bool>(place), taken) << client;
    places.push_back(std::move(place));
  }
  EXPECT_EQ(counts.clients(), 4u);
  places.erase(places.begin());
  EXPECT_TRUE(counts.enter(address("10.0.0.1")));
  EXPECT_TRUE(counts.enter(address("10.0.0.1"))) << "the one before has left again";
  places.clear();
  EXPECT_EQ(counts.clients(), 0u);
}

TEST(ClientCounts, PlacesAreMoved) {
  ClientCounts counts(1);
  ClientCounts::Place place;
  EXPECT_FALSE(place);
  place = counts.enter(address("10.0.0.1"));
  ASSERT_TRUE(place);
  ClientCounts::Place other(std::move(place));
  EXPECT_FALSE(counts.enter(address("10.0.0.1")));
  other = ClientCounts::Place();
  EXPECT_TRUE(counts.enter(address("10.0.0.1")));
}

}  // namespace
}  // namespace viaduct::daemon::bridge
