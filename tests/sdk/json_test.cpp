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

std::string object_of(std::size_t members) {
  std::string text;
  for (std::size_t i = 0; i < members; ++i) {
    text += (i == 0 ? "\"n" : ",\"n") + std::to_string(i) + "\":0";
  }
  return '{' + text + '}';
}

// Names that collide make Boost.JSON compare each with all others of the object.
TEST_F(JsonTest, ObjectsHaveAsManyMembersAsTheHandlerAllows) {
  App limits;
  limits.post("/usual", [](Request& req, Response& res) {
    res.send(std::to_string(read_json(req).as_object().size()));
  });
  limits.post("/few", [](Request& req, Response& res) {
    read_json(req, 1 << 20, 3);
    res.send("read");
  });
  testing::Client asks(limits);
  const auto status = [&](const char* path, const std::string& text) {
    return asks.post(path, text, "application/json").status;
  };
  EXPECT_EQ(asks.post("/usual", object_of(1024), "application/json").body, "1024");
  const auto refused = asks.post("/usual", object_of(1025), "application/json");
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.body, "an object of the body has more than 1024 members\n");

  const std::string three = object_of(3);
  const std::string four = object_of(4);
  for (const std::string& text :
       {three, "[" + three + "," + three + "]", R"({"a":)" + three + R"(,"b":)" + three + "}",
        std::string(R"({"a:\":":"::{:","b\"::\":":"[{:","c":[":",":"]})"),
        "[" + std::string(30, '[') + three + std::string(30, ']') + "]"}) {
    EXPECT_EQ(status("/few", text), 200) << text;
  }
  for (const std::string& text : std::initializer_list<std::string>{
           four, "[0," + four + "]", R"({"a":{"b":)" + four + "}}", R"({"a":0,"a":0,"a":0,"a":0})",
           R"({"a":{},"b":{},"c":{},"d":{}})", R"([{"\"":"}","b":"\"}","c":"{","d":0}])",
           "[" + std::string(30, '[') + four + std::string(30, ']') + "]"}) {
    EXPECT_EQ(status("/few", text), 413) << text;
  }
  // Text that is no JSON in front of a larger object is no JSON.
  EXPECT_EQ(status("/few", std::string(33, '[') + four), 400);
  EXPECT_EQ(status("/few", "]" + four), 400);
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
