#include "daemon/config/host_name.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::config {
namespace {

using Kind = Address::Kind;

TEST(HostName, LabelsOfLettersAndDigits) {
  const std::string label(63, 'a');
  const std::vector<std::pair<std::string, bool>> table = {
      {"localhost", true},
      {"shop.example.org", true},
      {"shop.example.org.", true},
      {"SHOP", true},
      {"a-b_c.d1", true},
      {"1.example", true},
      {"_srv.shop", true},
      {label, true},
      {label + ".org", true},
      {label + "a", false},
      {".", false},
      {".shop", false},
      {"shop..org", false},
      {"shop.org..", false},
      {"-shop", false},
      {"shop-", false},
      {"10.0.0.7", false},
      {"10.0.0.256", false},
      {"10.0.0", false},
      {"1", false},
      {"shop.1", false},
      {"sh\xc3\xb6p", false},
      {"shop*", false},
      {"::1", false},
  };
  for (const auto& [name, valid] : table) {
    EXPECT_EQ(is_host_name({Kind::tcp, name, 80}), valid) << name;
  }
  EXPECT_FALSE(is_host_name({Kind::unix_path, "localhost", 0}));
}

}  // namespace
}  // namespace viaduct::daemon::config
