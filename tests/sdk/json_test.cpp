#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <viaduct/json.hpp>
#include <viaduct/testing.hpp>
#include <viaduct/viaduct.hpp>

namespace viaduct {
namespace {

class JsonTest : public ::testing::Test {
 protected:
  JsonTest() {
    app.post("/echo", [](Request& req, Response& res) { send_json(res, read_json(req, 64)); });
    app.get("/created", [](Request&, Response& res) {
      res.status(201);
      send_json(res, {{"id", 7}, {"tags", {"a", "b"}}});
    });
  }

  App app;
  testing::Client client{app};
};

TEST_F(JsonTest, ReadsAndSends) {
  const auto reply = client.post("/echo", R"( {"a": [1, true, "\u00e4"]} )", "application/json");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(reply.body, "{\"a\":[1,true,\"\xC3\xA4\"]}");
  const auto created = client.get("/created");
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(created.body, R"({"id":7,"tags":["a","b"]})");
}

TEST_F(JsonTest, NumbersThatJsonDoesNotHaveAreNull) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const struct {
    boost::json::value value;
    const char* text;
  } rows[] = {
      {kInfinity, "null"},
      {-kInfinity, "null"},
      {kNan, "null"},
      {{1, kInfinity, {2, kNan}}, "[1,null,[2,null]]"},
      {{{"a", kInfinity}, {"b", {{"c", -kInfinity}, {"d", "e"}}}},
       R"({"a":null,"b":{"c":null,"d":"e"}})"},
      {{{"a", 7}}, R"({"a":7})"},
  };
  for (const auto& row : rows) {
    App numbers;
    numbers.get("/", [&](Request&, Response& res) { send_json(res, row.value); });
    EXPECT_EQ(testing::Client(numbers).get("/").body, row.text);
  }
  EXPECT_EQ(client.post("/echo", "[1e999,-1e999]", "application/json").body, "[null,null]");
}

TEST_F(JsonTest, OtherTypesAre415) {
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8",
                           "application/problem+json", "application/json ;x=y"}) {
    EXPECT_EQ(client.post("/echo", "1", type).status, 200) << type;
  }
  for (const char* type : {"text/json", "application/x-www-form-urlencoded", "application/jsonp",
                           "text/plain; application/json", "image/x+json", "+json"}) {
    EXPECT_EQ(client.post("/echo", "1", type).status, 415) << type;
  }
}

TEST_F(JsonTest, MalformedTextIs400AndSaysWhy) {
  for (const std::string text :
       {"", "{", "{\"a\":}", "1 2", "nul", "'a'", "\"\xff\"", "[1,]", "\"\x01\""}) {
    const auto reply = client.post("/echo", text, "application/json");
    EXPECT_EQ(reply.status, 400) << text;
    EXPECT_TRUE(reply.body.starts_with("the body is no JSON: ")) << reply.body;
  }
  EXPECT_EQ(
      client.post("/echo", std::string(33, '[') + std::string(31, ']'), "application/json").status,
      400);
}

TEST_F(JsonTest, MoreThanTheLimitIs413) {
  const auto text = [](std::size_t size) { return '"' + std::string(size - 2, 'x') + '"'; };
  EXPECT_EQ(client.post("/echo", text(64), "application/json").status, 200);
  EXPECT_EQ(client.post("/echo", text(65), "application/json").status, 413);
}

}  // namespace
}  // namespace viaduct
