// The same requests through every transport get the same replies.

#include <array>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <viaduct/testing.hpp>
#include <viaduct/viaduct.hpp>

namespace viaduct::testing {
namespace {

constexpr std::size_t kLarge = 300 * 1024;  // more than is held back, or fits into a window

void add_routes(App& app) {
  app.get("/plain", [](Request&, Response& res) { res.send("hello\n"); });
  app.get("/empty", [](Request&, Response& res) { res.status(204); });
  app.get("/not-modified", [](Request&, Response& res) { res.status(304); });
  app.get("/reset", [](Request&, Response& res) { res.status(205).send("dropped"); });
  app.get("/moved", [](Request& req, Response& res) { res.redirect(req.url("/plain"), 301); });
  app.get("/large", [](Request&, Response& res) {
    for (std::size_t i = 0; i < kLarge; i += 1024) res.write(std::string(1024, 'x'));
  });
  app.get("/throws", [](Request&, Response&) { throw std::runtime_error("out of\ncheese"); });
  app.get("/refuses", [](Request&, Response&) { throw http_error(418, "short and stout"); });
  app.get("/breaks", [](Request&, Response& res) {
    res.headers().set("Content-Length", "10");
    res.write("half");
    res.flush();
    throw std::runtime_error("broke off");
  });
  app.get("/warns", [](Request& req, Response& res) {
    req.log(Level::info, "not worth a word");
    req.log(Level::warn, "careful");
    res.headers().add("X-Many", "1").add("X-Many", "2");
  });
  app.route("POST,PUT,PATCH,DELETE", "/echo", [](Request& req, Response& res) {
    const auto type = req.headers().get("Content-Type").value_or("none");
    res.send(std::string(req.method()) + ' ' + std::string(type) + ' ' + req.body().text());
  });
  app.post("/length", [](Request& req, Response& res) {
    res.send(std::to_string(req.body().length().value_or(7777)));
  });
  app.post("/ignores-body", [](Request&, Response& res) { res.send("thanks\n"); });
  app.post("/too-large", [](Request& req, Response& res) { res.send(req.body().text(3)); });
  app.get("/about/{name}", [](Request& req, Response& res) {
    std::string text;
    for (const auto part : {req.target(), req.scheme(), req.host(), req.path(), req.raw_path(),
                            req.raw_query(), *req.arg("name"), req.remote_addr()}) {
      text += std::string(part) + '\n';
    }
    for (const auto& [name, value] : req.headers().items()) {
      // Some transports cannot do without them.
      if (name == "X-Request-Id" || name == "Content-Length") continue;
      text += name + ": " + value + '\n';
    }
    res.send(text);
  });
}

std::string text_of(const Reply& reply) {
  std::string text = std::to_string(reply.status) + (reply.aborted ? " aborted\n" : "\n");
  for (const auto& [name, value] : reply.headers.items()) text += name + ": " + value + '\n';
  return text + '\n' + reply.body + "\nerrors: " + reply.errors;
}

struct Exchange {
  const char* name;
  std::function<Reply(Client&)> send;
  std::function<void(const Reply&)> check;
};

void PrintTo(const Exchange& exchange, std::ostream* to) {
  *to << exchange.name;
}

const std::vector<Exchange>& exchanges() {
  static const std::vector<Exchange> kExchanges = {
      {"Get", [](Client& client) { return client.get("/plain"); },
       [](const Reply& reply) {
         EXPECT_EQ(text_of(reply),
                   "200\nContent-Type: text/plain; charset=utf-8\nContent-Length: 6\n\nhello\n"
                   "\nerrors: ");
       }},
      {"Head", [](Client& client) { return client.request("HEAD", "/plain"); },
       [](const Reply& reply) {
         EXPECT_EQ(reply.status, 200);
         EXPECT_EQ(reply.headers.get("Content-Length"), "6");
         EXPECT_EQ(reply.body, "");
         EXPECT_FALSE(reply.aborted);
       }},
      {"NoContent", [](Client& client) { return client.get("/empty"); },
       [](const Reply& reply) { EXPECT_EQ(text_of(reply), "204\n\n\nerrors: "); }},
      {"NotModified", [](Client& client) { return client.get("/not-modified"); },
       [](const Reply& reply) { EXPECT_EQ(reply.status, 304); }},
      {"ResetContent", [](Client& client) { return client.get("/reset"); },
       [](const Reply& reply) {
         EXPECT_EQ(text_of(reply), "205\nContent-Length: 0\n\n\nerrors: ");
       }},
      {"OptionsOfTheServer", [](Client& client) { return client.request("OPTIONS", "*"); },
       [](const Reply& reply) { EXPECT_EQ(text_of(reply), "204\n\n\nerrors: "); }},
      {"RedirectIsNotFollowed", [](Client& client) { return client.get("/moved"); },
       [](const Reply& reply) {
         EXPECT_EQ(reply.status, 301);
         EXPECT_EQ(reply.headers.get("Location"), "/plain");
       }},
      {"LargeAnswer", [](Client& client) { return client.get("/large"); },
       [](const Reply& reply) { EXPECT_EQ(reply.body, std::string(kLarge, 'x')); }},
      {"NotFound", [](Client& client) { return client.get("/nowhere"); },
       [](const Reply& reply) { EXPECT_EQ(reply.status, 404); }},
      {"OtherMethod", [](Client& client) { return client.del("/plain"); },
       [](const Reply& reply) {
         EXPECT_EQ(reply.status, 405);
         EXPECT_THAT(std::string(reply.headers.get("Allow").value_or("")),
                     ::testing::HasSubstr("GET"));
       }},
      {"MalformedPath", [](Client& client) { return client.get("/about/%zz"); },
       [](const Reply& reply) { EXPECT_EQ(reply.status, 400); }},
      {"Exception", [](Client& client) { return client.get("/throws"); },
       [](const Reply& reply) {
         EXPECT_EQ(reply.status, 500);
         EXPECT_EQ(reply.errors, "GET /throws: out of\\ncheese (std::runtime_error)\n");
       }},
      {"HttpError", [](Client& client) { return client.get("/refuses"); },
       [](const Reply& reply) {
         EXPECT_EQ(reply.status, 418);
         EXPECT_EQ(reply.body, "short and stout\n");
         EXPECT_EQ(reply.errors, "");
       }},
      {"BrokenAnswer", [](Client& client) { return client.get("/breaks"); },
       [](const Reply& reply) {
         EXPECT_EQ(reply.status, 200);
         EXPECT_EQ(reply.body, "half");
         EXPECT_TRUE(reply.aborted);
         EXPECT_EQ(reply.errors, "GET /breaks: broke off (std::runtime_error)\n");
       }},
      {"WarningsAndRepeatedFields", [](Client& client) { return client.get("/warns"); },
       [](const Reply& reply) {
         EXPECT_EQ(reply.errors, "careful\n");
         EXPECT_THAT(reply.headers.all("X-Many"), ::testing::ElementsAre("1", "2"));
       }},
      {"Form", [](Client& client) { return client.post("/echo", "a=1"); },
       [](const Reply& reply) {
         EXPECT_EQ(reply.body, "POST application/x-www-form-urlencoded a=1");
       }},
      {"EmptyPost", [](Client& client) { return client.post("/length", "", ""); },
       [](const Reply& reply) { EXPECT_EQ(reply.body, "0"); }},
      {"Put", [](Client& client) { return client.put("/echo", "{}", "application/json"); },
       [](const Reply& reply) { EXPECT_EQ(reply.body, "PUT application/json {}"); }},
      {"Patch", [](Client& client) { return client.patch("/echo", "x", "text/plain"); },
       [](const Reply& reply) { EXPECT_EQ(reply.body, "PATCH text/plain x"); }},
      {"Delete", [](Client& client) { return client.del("/echo"); },
       [](const Reply& reply) { EXPECT_EQ(reply.body, "DELETE none "); }},
      {"LargeBody",
       [](Client& client) { return client.post("/echo", std::string(kLarge, 'y'), "text/plain"); },
       [](const Reply& reply) {
         EXPECT_EQ(reply.body, "POST text/plain " + std::string(kLarge, 'y'));
       }},
      {"LargeBodyThatNobodyReads",
       [](Client& client) { return client.post("/ignores-body", std::string(4 * kLarge, 'y')); },
       [](const Reply& reply) { EXPECT_EQ(reply.body, "thanks\n"); }},
      {"BodyBeyondTheLimit", [](Client& client) { return client.post("/too-large", "four"); },
       [](const Reply& reply) { EXPECT_EQ(reply.status, 413); }},
      {"Chunks",
       [](Client& client) {
         return client.request("POST", "/echo", std::vector<std::string>{"a", "", "bc", "d"});
       },
       [](const Reply& reply) { EXPECT_EQ(reply.body, "POST none abcd"); }},
      {"WhatTheHandlerSees",
       [](Client& client) {
         Fields fields;
         fields.add("X-One", "1").add("X-Two", "a").add("X-Two", "b");
         return client.request("GET", "/about/a%2Fb%20c?q=%41", {}, fields);
       },
       [](const Reply& reply) {
         EXPECT_EQ(reply.body,
                   "/about/a%2Fb%20c?q=%41\nhttp\nlocalhost\n/about/a/b c\n/about/a%2Fb%20c\n"
                   "q=%41\na/b c\n127.0.0.1\nHost: localhost\nX-One: 1\nX-Two: a, b\n");
       }},
      {"ClientLeaves", [](Client& client) { return client.disconnect_after(20000).get("/large"); },
       [](const Reply& reply) {
         EXPECT_EQ(reply.body, std::string(20000, 'x'));
         EXPECT_TRUE(reply.aborted);
         EXPECT_EQ(reply.errors, "");
       }},
  };
  return kExchanges;
}

class EveryVia : public ::testing::TestWithParam<Exchange> {};

TEST_P(EveryVia, GivesTheSameReply) {
  App app;
  app.log_sink([](Level, std::string_view) {});
  add_routes(app);
  Client direct(app);
  const Reply expected = GetParam().send(direct);
  GetParam().check(expected);
  for (const Via via : {Via::fastcgi, Via::scgi, Via::uwsgi, Via::http}) {
    SCOPED_TRACE(static_cast<int>(via));
    Client client(app, via);
    EXPECT_EQ(text_of(GetParam().send(client)), text_of(expected));
  }
}

INSTANTIATE_TEST_SUITE_P(Requests, EveryVia, ::testing::ValuesIn(exchanges()),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace viaduct::testing
