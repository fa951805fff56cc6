// Response heads of any size are sent, whatever the transport and whatever follows them.

#include <string>

#include <gtest/gtest.h>
#include <viaduct/testing.hpp>
#include <viaduct/viaduct.hpp>

#include "tests/sdk/support/ways.hpp"

namespace viaduct::test {
namespace {

using testing::Client;
using testing::Reply;

constexpr std::size_t kField = 1000;
// More than a socket, and what a link may hold back, take at once.
constexpr std::size_t kLargeBody = 700 * 1024;

class LargeHeadTest : public ::testing::TestWithParam<Way> {
 protected:
  LargeHeadTest() {
    app.model(GetParam().model);
    add("/empty", [](Response&) {});
    add("/short", [](Response& res) { res.send("short"); });
    add("/flushed", [](Response& res) {
      res.flush();
      res.write("flushed");
    });
    add("/large", [](Response& res) { res.send(std::string(kLargeBody, 'y')); });
    add("/pieces", [](Response& res) {
      for (std::size_t i = 0; i < kLargeBody; i += 1024) res.write(std::string(1024, 'y'));
    });
    add("/throws", [](Response&) { throw http_error(418, "short and stout"); });
  }
  void add(const char* path, const std::function<void(Response&)>& answer) {
    app.get(path, [answer](Request& req, Response& res) {
      for (int left = std::stoi(std::string(req.raw_query())); left > 0; --left) {
        res.headers().add("X-Large", std::string(kField, 'x'));
      }
      answer(res);
    });
  }

  App app;
};

INSTANTIATE_TEST_SUITE_P(Via, LargeHeadTest, ::testing::ValuesIn(kEveryWay), way_name);

TEST_P(LargeHeadTest, IsSent) {
  const struct {
    const char* path;
    std::string body;
  } rows[] = {
      {"/empty", ""},
      {"/short", "short"},
      {"/flushed", "flushed"},
      {"/large", std::string(kLargeBody, 'y')},
      {"/pieces", std::string(kLargeBody, 'y')},
  };
  Client client(app, GetParam().via);
  for (const int fields : {1, 15, 17, 64, 255, 256, 257, 262, 263, 1000, 3000}) {
    for (const auto& row : rows) {
      SCOPED_TRACE(row.path + std::string("?") + std::to_string(fields));
      const Reply reply = client.get(row.path + std::string("?") + std::to_string(fields));
      EXPECT_EQ(reply.status, 200);
      EXPECT_FALSE(reply.aborted);
      EXPECT_EQ(reply.headers.all("X-Large").size(), static_cast<std::size_t>(fields));
      EXPECT_EQ(reply.body, row.body);
      EXPECT_EQ(reply.errors, "");
    }
    EXPECT_EQ(client.get("/throws?" + std::to_string(fields)).status, 418);
  }
}

}  // namespace
}  // namespace viaduct::test
