#include <atomic>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <viaduct/testing.hpp>
#include <viaduct/viaduct.hpp>

namespace viaduct::testing {
namespace {

std::string via_name(const ::testing::TestParamInfo<Via>& tested) {
  static constexpr const char* kNames[] = {"direct", "fastcgi", "scgi", "uwsgi", "http"};
  return kNames[static_cast<int>(tested.param)];
}

class ClientVia : public ::testing::TestWithParam<Via> {
 protected:
  App app;
};
INSTANTIATE_TEST_SUITE_P(Client, ClientVia,
                         ::testing::Values(Via::direct, Via::fastcgi, Via::scgi, Via::uwsgi,
                                           Via::http),
                         via_name);

class ClientWithVariables : public ClientVia {};
INSTANTIATE_TEST_SUITE_P(Client, ClientWithVariables,
                         ::testing::Values(Via::direct, Via::fastcgi, Via::scgi, Via::uwsgi),
                         via_name);

TEST_P(ClientVia, CookiesAreRememberedAndSent) {
  app.post("/login", [](Request&, Response& res) {
    Cookie cookie;
    cookie.name = "session";
    cookie.value = "42";
    res.cookie(cookie);
  });
  app.get("/who", [](Request& req, Response& res) {
    res.send(std::string(req.cookie("session").value_or("nobody")));
  });
  app.post("/logout", [](Request&, Response& res) { res.clear_cookie("session"); });
  Client client(app, GetParam());
  EXPECT_EQ(client.get("/who").body, "nobody");
  client.post("/login", "");
  EXPECT_EQ(client.cookie("session"), "42");
  EXPECT_EQ(client.get("/who").body, "42");
  client.post("/logout", "");
  EXPECT_EQ(client.cookie("session"), std::nullopt);
  EXPECT_EQ(client.get("/who").body, "nobody");
  client.post("/login", "");
  client.clear_cookies();
  EXPECT_EQ(client.get("/who").body, "nobody");
}

TEST_P(ClientVia, SecureCookiesAreNotSentToOtherHostsOverHttp) {
  app.get("/set", [](Request&, Response& res) {
    res.cookie({.name = "a", .value = "1"});
    res.cookie({.name = "b", .value = "2", .secure = false});
  });
  app.get("/show", [](Request& req, Response& res) {
    res.send(std::string(req.headers().get("Cookie").value_or("")));
  });
  Client client(app, GetParam());
  client.get("/set");
  EXPECT_EQ(client.get("/show").body, "a=1; b=2");
  client.header("Host", "example.org");
  EXPECT_EQ(client.get("/show").body, "b=2");
  client.header("Cookie", "c=3");
  EXPECT_EQ(client.get("/show").body, "c=3");
}

TEST_P(ClientVia, HeadersStayUntilReplaced) {
  app.get("/", [](Request& req, Response& res) {
    res.send(std::string(req.headers().get("X-Tenant").value_or("none")));
  });
  Client client(app, GetParam());
  client.header("X-Tenant", "blue");
  EXPECT_EQ(client.get("/").body, "blue");
  Fields once;
  once.set("x-tenant", "green");
  EXPECT_EQ(client.request("GET", "/", {}, once).body, "green");
  EXPECT_EQ(client.get("/").body, "blue");
  EXPECT_THROW(client.header("X-Tenant", "a\r\nb"), invalid_header);
}

TEST_P(ClientWithVariables, VariablesMountAndSecure) {
  app.get("/a", [](Request& req, Response& res) {
    res.send(std::string(req.scheme()) + ' ' + req.url("/b") + ' ' + std::string(req.path()));
  });
  Client client(app, GetParam());
  client.env("SCRIPT_NAME", "/app").env("HTTPS", "on").env("REQUEST_SCHEME", "https");
  EXPECT_EQ(client.get("/app/a").body, "https /app/b /a");
  EXPECT_EQ(client.get("/apparently").status, 404);
}

TEST_P(ClientVia, HandlersThatWaitSeeTheClientLeave) {
  std::atomic<bool> left = false;
  app.get("/ticks", [&left](Request& req, Response& res) {
    while (!req.stop().stop_requested()) {
      try {
        res.write("tick\n");
        res.flush();
      } catch (const client_gone&) {
        break;
      }
      sleep_for(std::chrono::milliseconds(1));
    }
    left = true;
  });
  for (const Model model : {Model::threads, Model::fibers}) {
    left = false;
    app.model(model);
    Client client(app, GetParam());
    const Reply reply = client.disconnect_after(10).get("/ticks");
    EXPECT_EQ(reply.body, "tick\ntick\n");
    EXPECT_TRUE(reply.aborted);
    EXPECT_TRUE(left) << "the handler had not returned";
  }
}

TEST_P(ClientVia, DisconnectingConcernsOneRequestAndMayBeAtTheHead) {
  app.get("/", [](Request&, Response& res) {
    res.write("x");
    res.flush();
    res.write("y");
  });
  Client client(app, GetParam());
  const Reply reply = client.disconnect_after(0).get("/");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "");
  EXPECT_TRUE(reply.aborted);
  EXPECT_EQ(client.get("/").body, "xy");
}

TEST_P(ClientVia, BodyShorterThanItsLengthIsNoCompleteBody) {
  std::atomic<int> completed = 0;
  app.post("/", [&completed](Request& req, Response& res) {
    res.send(req.body().text());
    ++completed;
  });
  Client client(app, GetParam());
  Fields fields;
  fields.set("Content-Length", "5");
  if (GetParam() == Via::direct || GetParam() == Via::fastcgi) {
    EXPECT_TRUE(client.request("POST", "/", "four", fields).aborted);
  } else {  // these wait for the fifth byte
    client.timeout(std::chrono::milliseconds(300));
    EXPECT_THROW(client.request("POST", "/", "four", fields), std::runtime_error);
  }
  EXPECT_EQ(completed, 0);
}

TEST_P(ClientVia, HooksRunOnceForAllClients) {
  std::vector<std::string> calls;
  std::atomic<bool> background_stopped = false;
  thread_local int hooks_on_this_thread = 0;
  hooks_on_this_thread = 0;
  {
    App own;
    own.on_startup([&] {
      calls.emplace_back("start");
      own.get("/", [](Request&, Response& res) { res.send(std::to_string(hooks_on_this_thread)); });
    });
    own.on_shutdown([&] { calls.emplace_back("first"); });
    own.on_shutdown([&] { calls.emplace_back("last"); });
    own.background([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) std::this_thread::yield();
      background_stopped = true;
    });
    own.on_thread_start([] { ++hooks_on_this_thread; });
    {
      Client one(own, GetParam());
      {
        Client two(own, GetParam());
        EXPECT_EQ(two.get("/").body, "1");
      }
      EXPECT_EQ(one.get("/").body, "1");
    }
    EXPECT_EQ(Client(own, GetParam()).get("/").body, "1");
    EXPECT_EQ(Client(own).get("/").body, "1");
    EXPECT_EQ(calls, std::vector<std::string>{"start"});
    EXPECT_FALSE(background_stopped);
  }
  EXPECT_EQ(calls, (std::vector<std::string>{"start", "last", "first"}));
  EXPECT_TRUE(background_stopped);
}

TEST_P(ClientVia, AppsMayEndInAnyOrder) {
  std::vector<std::string> lines;
  auto first = std::make_unique<App>();
  first->log_sink([&](Level, std::string_view line) { lines.emplace_back(line); });
  first->get("/", [](Request&, Response&) { log(Level::info, "first"); });
  auto second = std::make_unique<App>();
  second->log_sink([&](Level, std::string_view line) { lines.emplace_back(line); });
  second->get("/", [](Request&, Response&) { log(Level::info, "second"); });
  EXPECT_EQ(Client(*first, GetParam()).get("/").status, 200);
  EXPECT_EQ(Client(*second, GetParam()).get("/").status, 200);
  first.reset();
  EXPECT_EQ(Client(*second, GetParam()).get("/").status, 200);
  second.reset();
  ::testing::internal::CaptureStderr();
  log(Level::info, "nobody's");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "info: nobody's\n");
  EXPECT_EQ(lines.size(), 3U);
}

TEST_P(ClientVia, WhatOnThreadStartThrowsReachesTheTest) {
  app.on_thread_start([] { throw 42; });
  Client client(app, GetParam());
  if (GetParam() == Via::direct) {
    EXPECT_THROW(client.get("/"), int);
    EXPECT_THROW(client.get("/"), int);
    return;
  }
  try {
    client.get("/");
    FAIL() << "no exception";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "on_thread_start: an exception of type int");
  }
}

TEST(Client, WhatOnShutdownThrowsIsLogged) {
  std::vector<std::string> lines;
  bool called = false;
  {
    App app;
    app.log_sink([&](Level, std::string_view line) { lines.emplace_back(line); });
    app.on_shutdown([&] { called = true; });
    app.on_shutdown([] { throw 42; });
    const Client client(app);
  }
  EXPECT_TRUE(called);
  EXPECT_EQ(lines, std::vector<std::string>{"on_shutdown: an exception of type int"});
}

TEST_P(ClientVia, WhatStartupThrowsReachesTheTest) {
  app.on_startup([] { throw std::runtime_error("no database"); });
  EXPECT_THROW(Client(app, GetParam()), std::runtime_error);
}

TEST_P(ClientVia, LinesOfARequestAreItsReplysAndGoToTheSinkAsWell) {
  std::mutex mutex;
  std::vector<std::string> lines;
  app.log_sink([&](Level, std::string_view line) {
    const std::lock_guard lock(mutex);
    lines.emplace_back(line);
  });
  app.get("/", [](Request& req, Response& res) {
    req.log(Level::error, "mine");
    log(Level::error, "mine too");
    res.send(std::string(req.id()));
  });
  Client client(app, GetParam());
  const Reply reply = client.get("/");
  EXPECT_EQ(reply.errors, "mine\nmine too\n");
  const std::string id = "[" + reply.body + "] ";
  EXPECT_EQ(lines, (std::vector<std::string>{id + "mine", id + "mine too"}));
  client.header("X-Request-Id", "my-own-id");
  EXPECT_EQ(client.get("/").body, "my-own-id");
  EXPECT_EQ(client.get("/").errors, "mine\nmine too\n");
}

TEST_P(ClientVia, ClientsOfSeveralThreads) {
  app.get("/{n:int}", [](Request& req, Response& res) {
    req.log(Level::warn, "n=", req.arg<int>("n"));
    res.send(std::to_string(req.arg<int>("n")));
  });
  app.log_sink([](Level, std::string_view) {});
  std::vector<Client> clients;
  for (int i = 0; i < 4; ++i) clients.emplace_back(app, GetParam());
  std::vector<std::jthread> threads;
  std::atomic<int> right = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 25; ++round) {
        const std::string number = std::to_string(i * 100 + round);
        const Reply reply = clients[static_cast<std::size_t>(i)].get('/' + number);
        if (reply.body == number && reply.errors == "n=" + number + '\n') ++right;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(right, 100);
}

TEST(Client, ConflictingRoutesAreReportedBeforeTheFirstRequest) {
  App app;
  app.get("/a/{b}", [](Request&, Response&) {});
  app.get("/a/{c}", [](Request&, Response&) {});
  EXPECT_THROW(Client{app}, std::logic_error);

  App late;
  late.get("/a/{b}", [](Request&, Response&) {});
  late.on_startup([&] { late.get("/a/{c}", [](Request&, Response&) {}); });
  EXPECT_THROW(Client{late}, std::logic_error);
}

TEST(Client, TargetsBeginWithASlash) {
  App app;
  Client client(app);
  EXPECT_THROW(client.get("notes"), std::invalid_argument);
  EXPECT_THROW(client.get(""), std::invalid_argument);
}

TEST(Client, AnswersThatDoNotComeAreReported) {
  App app;
  app.get("/", [](Request& req, Response&) {
    while (!req.stop().stop_requested()) sleep_for(std::chrono::milliseconds(1));
  });
  Client client(app, Via::fastcgi);
  client.timeout(std::chrono::milliseconds(50));
  try {
    client.get("/");
    FAIL() << "no exception";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "GET /: no complete answer within 50 ms");
  }
}

TEST(Client, TooManyVariablesAreRefusedAlike) {
  App app;
  app.log_sink([](Level, std::string_view) {});
  app.get("/", [](Request&, Response& res) { res.send("fine"); });
  Fields fields;
  for (int i = 0; i < 4097; ++i) fields.add("X-" + std::to_string(i), "v");
  for (const Via via : {Via::direct, Via::fastcgi, Via::scgi}) {
    Client client(app, via);
    EXPECT_EQ(client.request("GET", "/", {}, fields).status, 431) << static_cast<int>(via);
  }
}

TEST(Client, MoreVariablesThanUwsgiCarriesAreReported) {
  App app;
  Client client(app, Via::uwsgi);
  client.header("X-Long", std::string(65536, 'x'));
  EXPECT_THROW(client.get("/"), std::length_error);
}

TEST(Client, HttpHasNoVariables) {
  App app;
  Client client(app, Via::http);
  EXPECT_THROW(client.env("HTTPS", "on"), std::logic_error);
}

TEST(Client, DirectCallsRunOnTheCallingThread) {
  App app;
  std::thread::id seen;
  app.get("/", [&seen](Request&, Response&) { seen = std::this_thread::get_id(); });
  Client client(app);
  client.get("/");
  EXPECT_EQ(seen, std::this_thread::get_id());
}

}  // namespace
}  // namespace viaduct::testing
