#include "tests/bench/request_bytes.hpp"

#include <fastcgi.h>

#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::bench {
namespace {

struct Record {
  int type;
  unsigned id;
  std::string_view content;
  std::size_t padding;
};

std::vector<Record> split(std::string_view bytes) {
  std::vector<Record> records;
  while (bytes.size() >= FCGI_HEADER_LEN) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const std::size_t length = static_cast<std::size_t>(at(4)) << 8 | at(5);
    records.push_back({at(1), static_cast<unsigned>(at(2)) << 8 | at(3),
                       bytes.substr(FCGI_HEADER_LEN, length), at(6)});
    bytes.remove_prefix(FCGI_HEADER_LEN + length + at(6));
  }
  EXPECT_TRUE(bytes.empty());
  return records;
}

std::size_t take_length(std::string_view& bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  std::size_t length = at(0);
  std::size_t size = 1;
  if (length >= 128) {
    length = (at(0) & 0x7fU) << 24U | at(1) << 16U | at(2) << 8U | at(3);
    size = 4;
  }
  bytes.remove_prefix(size);
  return length;
}

std::map<std::string, std::string> variables(std::string_view params) {
  std::map<std::string, std::string> out;
  while (!params.empty()) {
    const std::size_t name = take_length(params);
    const std::size_t value = take_length(params);
    out.emplace(params.substr(0, name), params.substr(name, value));
    params.remove_prefix(name + value);
  }
  return out;
}

TEST(GetRequest, HasTheRecordsOfAResponderRequestInOrder) {
  const std::string bytes = get_request(0x0102, "/");
  const std::vector<Record> records = split(bytes);
  ASSERT_EQ(records.size(), 4U);
  const int types[] = {FCGI_BEGIN_REQUEST, FCGI_PARAMS, FCGI_PARAMS, FCGI_STDIN};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(records[i].type, types[i]);
    EXPECT_EQ(records[i].id, 0x0102U);
    EXPECT_EQ((records[i].content.size() + records[i].padding) % 8, 0U);
  }
  using namespace std::string_view_literals;
  EXPECT_EQ(records[0].content, "\0\1\1\0\0\0\0\0"sv);
  EXPECT_EQ(records[2].content, "");
  EXPECT_EQ(records[3].content, "");
}

TEST(GetRequest, IsAsLargeAsABrowsersThroughNginx) {
  const std::string bytes = get_request(1, "/");
  EXPECT_GT(bytes.size(), 550U);
  EXPECT_LT(bytes.size(), 750U);
  EXPECT_EQ(variables(split(bytes)[1].content).size(), 25U);
}

TEST(GetRequest, UriIsSplitIntoPathAndQuery) {
  const std::string bytes = get_request(1, "/a/b?c=d?e");
  auto params = variables(split(bytes)[1].content);
  EXPECT_EQ(params["REQUEST_URI"], "/a/b?c=d?e");
  EXPECT_EQ(params["SCRIPT_NAME"], "/a/b");
  EXPECT_EQ(params["QUERY_STRING"], "c=d?e");
  EXPECT_EQ(params["REQUEST_METHOD"], "GET");
}

TEST(GetRequest, LongValueHasAFourByteLength) {
  const std::string uri = "/" + std::string(300, 'x');
  const std::string bytes = get_request(1, uri);
  EXPECT_EQ(variables(split(bytes)[1].content)["REQUEST_URI"], uri);
}

TEST(GetRequest, UriThatDoesNotFitIntoARecordIsRefused) {
  EXPECT_THROW(get_request(1, "/" + std::string(30'000, 'x')), std::length_error);
}

}  // namespace
}  // namespace viaduct::bench
