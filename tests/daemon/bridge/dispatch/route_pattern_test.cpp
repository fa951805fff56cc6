#include "daemon/bridge/dispatch/route_pattern.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

TEST(RoutePattern, EveryRow) {
  struct Row {
    const char* method;
    const char* path;
    const char* pattern;
  };
  const Row rows[] = {
      {"GET", "", "GET /"},
      {"GET", "/", "GET /"},
      {"GET", "*", "GET /*"},
      {"POST", "/crash", "POST /crash"},
      {"GET", "/orders/17", "GET /orders/*"},
      {"GET", "/orders/17/edit", "GET /orders/*/edit"},
      {"GET", "/orders//17/edit/", "GET /orders/*/edit"},
      {"GET", "/v2/orders/a7", "GET /v2/orders/*"},
      {"GET", "/v/vv2/v12345/v", "GET /v/*/*/v"},
      {"GET", "/a/b/c/d", "GET /a/b/c/d"},
      {"GET", "/a/b/c/d/e/f", "GET /a/b/c/d"},
      {"GET", "/abcdefghabcdefghabcdefghabcdefgh", "GET /abcdefghabcdefghabcdefghabcdefgh"},
      {"GET", "/abcdefghabcdefghabcdefghabcdefghi", "GET /*"},
      {"AVERYLONGMETHODNAME", "/x", "AVERYLONGMETHODN /x"},
  };
  std::string pattern = "of an earlier call";
  for (const Row& row : rows) {
    route_pattern(row.method, row.path, pattern);
    EXPECT_EQ(pattern, row.pattern) << row.path;
  }
}

TEST(RoutePattern, IsShortWhateverThePath) {
  std::string path;
  for (int i = 0; i < 10'000; ++i) path += "/abcdefghabcdefghabcdefghabcdefgh";
  std::string pattern;
  route_pattern(std::string(10'000, 'M'), path, pattern);
  EXPECT_LE(pattern.size(), 16 + 1 + 4 * 33u);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
