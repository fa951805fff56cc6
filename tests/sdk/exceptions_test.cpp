// Whatever a callback of the application's throws: the log names it, and the answer agrees.
#include <pthread.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <boost/context/fiber.hpp>
#include <gmock/gmock.h>
#include <viaduct/middleware.hpp>
#include <viaduct/session.hpp>

#include "sdk/src/log_output.hpp"
#include "tests/sdk/support/call.hpp"
#include "tests/sdk/support/thrown.hpp"

namespace viaduct::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Matcher;

class ExceptionsTest : public ::testing::TestWithParam<Thrown> {
 protected:
  Answer ask(const char* target = "/") {
    lines.clear();
    return answer(app, {.target = target});
  }
  static Matcher<const std::string&> names(const char* where) {
    return AllOf(HasSubstr(where), HasSubstr(GetParam().words));
  }
  static void expect_500(const Answer& got) {
    EXPECT_EQ(got.status, 500);
    EXPECT_EQ(got.body, "Internal Server Error\n");
    EXPECT_FALSE(got.broken);
  }
  template <class T = int>
  static T raise() {
    GetParam().raise();
    return T();
  }

  App app;
  std::vector<std::string> lines;

 private:
  const detail::LogSink sink_ = [this](Level, std::string_view line) { lines.emplace_back(line); };
  const detail::LogRedirection redirection_{sink_};
};

INSTANTIATE_TEST_SUITE_P(Types, ExceptionsTest, ::testing::ValuesIn(kThrown),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(ExceptionsTest, OfAHandler) {
  app.get("/", [](Request&, Response&) { raise(); });
  expect_500(ask());
  EXPECT_THAT(lines, ElementsAre(names("GET /: ")));
}

TEST_P(ExceptionsTest, OfMiddleware) {
  app.use([](Request&, Response&, const Handler&) { raise(); });
  expect_500(ask());
  EXPECT_THAT(lines, ElementsAre(names("GET /: ")));
}

TEST_P(ExceptionsTest, OfAStartedAnswer) {
  app.get("/", [](Request&, Response& res) {
    res.flush();
    raise();
  });
  EXPECT_TRUE(ask().broken);
  EXPECT_THAT(lines, ElementsAre(names("GET /: ")));
}

TEST_P(ExceptionsTest, OfAHookLeavesTheOthers) {
  app.get("/", [](Request&, Response& res) {
    res.before_start([](Response& head) { head.headers().set("X-Before", "1"); });
    res.before_start([](Response&) { raise(); });
    res.before_start([](Response& head) { head.headers().set("X-Behind", "1"); });
    res.send("never seen");
  });
  const Answer got = ask();
  expect_500(got);
  EXPECT_EQ(got.field("X-Before"), "1");
  EXPECT_EQ(got.field("X-Behind"), "1");
  EXPECT_THAT(lines, ElementsAre(names("GET /: ")));
}

TEST_P(ExceptionsTest, OfAHookOfAnErrorsAnswer) {
  app.use([](Request& req, Response& res, const Handler& next) {
    res.before_start([](Response&) { raise(); });
    next(req, res);
  });
  app.get("/", [](Request&, Response&) { throw std::logic_error("first"); });
  expect_500(ask());
  EXPECT_THAT(lines, ElementsAre(HasSubstr("GET /: first (std::logic_error)"),
                                 names("GET /: answering 500: ")));
  expect_500(ask("/nowhere"));
  EXPECT_THAT(lines, ElementsAre(names("GET /nowhere: answering 404: ")));
}

// One in the answer, one in that of the error, one in the last: none may keep the client waiting.
TEST_P(ExceptionsTest, OfEveryHook) {
  app.get("/", [](Request&, Response& res) {
    for (int i = 0; i < 3; ++i) res.before_start([](Response&) { raise(); });
  });
  expect_500(ask());
  EXPECT_THAT(lines, ElementsAre(names("GET /: "), names("GET /: answering 500: ")));
}

TEST_P(ExceptionsTest, OfATransform) {
  app.get("/", [](Request&, Response& res) {
    res.before_start([](Response& head) { head.headers().set("X-Hook", "1"); });
    res.transform([](std::string_view, bool) -> std::string {
      raise();
      return {};
    });
    res.send("text");
  });
  const Answer got = ask();
  expect_500(got);
  EXPECT_EQ(got.field("X-Hook"), "1");
  EXPECT_THAT(lines, ElementsAre(names("GET /: ")));
}

TEST_P(ExceptionsTest, OfOnError) {
  app.on_error([](Request&, Response& res, const std::exception_ptr&) {
    res.write("half");
    raise();
  });
  app.get("/", [](Request&, Response&) { throw http_error(418, "short and stout"); });
  expect_500(ask());
  EXPECT_THAT(lines, ElementsAre(names("GET /: on_error: ")));
}

TEST_P(ExceptionsTest, OfOnErrorThatHasStarted) {
  app.on_error([](Request&, Response& res, const std::exception_ptr&) {
    res.flush();
    raise();
  });
  EXPECT_TRUE(ask("/nowhere").broken);
  EXPECT_THAT(lines, ElementsAre(names("GET /nowhere: on_error: ")));
}

TEST_P(ExceptionsTest, OfOnErrorAndAHook) {
  app.use([](Request& req, Response& res, const Handler& next) {
    res.before_start([](Response&) { raise(); });
    next(req, res);
  });
  app.on_error([](Request&, Response&, const std::exception_ptr&) { raise(); });
  expect_500(ask("/nowhere"));
  EXPECT_THAT(lines, ElementsAre(names("on_error: "), names("answering 500: ")));
}

TEST_P(ExceptionsTest, GetsToOnErrorAsItIs) {
  app.on_error([](Request&, Response& res, const std::exception_ptr& error) {
    EXPECT_TRUE(error);
    res.send("own");
  });
  app.get("/", [](Request&, Response&) { raise(); });
  const Answer got = ask();
  EXPECT_EQ(got.status, 500);
  EXPECT_EQ(got.body, "own");
  EXPECT_THAT(lines, ElementsAre(names("GET /: ")));
}

TEST_P(ExceptionsTest, OfAFunctionAmongOptions) {
  using middleware::basic_auth, middleware::cors, middleware::rate_limit;
  using Texts = std::string_view;
  const struct {
    const char* name;
    Middleware layer;
  } rows[] = {
      {"key", rate_limit({.key = [](Request&) { return raise<std::string>(); }})},
      {"now", rate_limit({.now = [] { return raise<std::chrono::steady_clock::time_point>(); }})},
      {"cors", cors({.allow = [](Texts) { return raise<bool>(); }})},
      {"basic_auth", basic_auth({.check = [](Texts, Texts) { return raise<bool>(); }})},
  };
  for (const auto& row : rows) {
    App guarded;
    guarded.use(row.layer);
    guarded.get("/", [](Request&, Response& res) { res.send("ok"); });
    lines.clear();
    expect_500(answer(guarded, {.variables = {{"REMOTE_ADDR", "192.0.2.7"},
                                              {"HTTP_AUTHORIZATION", "Basic YTpi"},
                                              {"HTTP_ORIGIN", "https://other.example"}}}));
    EXPECT_THAT(lines, ElementsAre(names("GET /: "))) << row.name;
  }
}

// Asked when a cookie comes in, and when one goes out.
TEST_P(ExceptionsTest, OfTheClockOfSessions) {
  bool broken = false;
  app.use(sessions({.keys = {std::string(32, 'k')}, .now = [&broken] {
                      return broken ? raise<std::chrono::system_clock::time_point>()
                                    : std::chrono::system_clock::time_point();
                    }}));
  app.get("/", [](Request&, Response& res) { res.send("ok"); });
  app.get("/set", [](Request& req, Response& res) {
    session(req).set("name", "value");
    res.send("ok");
  });
  const std::string cookie = ask("/set").field("Set-Cookie").value_or("");
  const Call with_cookie{.variables = {{"HTTP_COOKIE", cookie.substr(0, cookie.find(';'))}}};
  EXPECT_EQ(answer(app, with_cookie).body, "ok");
  EXPECT_THAT(lines, IsEmpty());
  broken = true;
  expect_500(answer(app, with_cookie));
  EXPECT_THAT(lines, ElementsAre(names("GET /: ")));
  const Answer got = ask("/set");
  expect_500(got);
  EXPECT_FALSE(got.field("Set-Cookie"));
  EXPECT_THAT(lines, ElementsAre(names("GET /set: ")));
  EXPECT_EQ(ask("/").body, "ok");
}

TEST_P(ExceptionsTest, OfAValueOfTheRequests) {
  struct Value {
    Value() { raise(); }
  };
  app.get("/", [](Request& req, Response&) { req.local<Value>(); });
  expect_500(ask());
  EXPECT_THAT(lines, ElementsAre(names("GET /: ")));
}

TEST_P(ExceptionsTest, OfAnAccessLog) {
  app.use(middleware::access_log({.write = [](std::string_view) { raise(); }}));
  app.get("/", [](Request&, Response& res) { res.send("ok"); });
  EXPECT_EQ(ask().body, "ok");
  EXPECT_THAT(lines, ElementsAre(names("after the answer: ")));
}

TEST_P(ExceptionsTest, OfALogSinkLosesNoLine) {
  const detail::LogSink broken = [](Level, std::string_view) { raise(); };
  const detail::LogRedirection redirection(broken);
  app.get("/", [](Request&, Response& res) {
    log(Level::warn, "careful");
    res.send("ok");
  });
  app.get("/throws", [](Request&, Response&) { throw std::logic_error("first"); });
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(ask().body, "ok");
  expect_500(ask("/throws"));
  const std::string errors = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(errors, HasSubstr("careful\n"));
  EXPECT_THAT(errors, HasSubstr("GET /throws: first (std::logic_error)\n"));
  EXPECT_THAT(errors, names("error: log_sink: "));
}

TEST(ExceptionTest, HttpErrorsOfNoErrorsStatusAreLogged) {
  std::vector<std::string> lines;
  const detail::LogSink sink = [&](Level, std::string_view line) { lines.emplace_back(line); };
  const detail::LogRedirection redirection(sink);
  App app;
  app.get("/{status:int}",
          [](Request& req, Response&) { throw http_error(req.arg<int>("status"), "text"); });
  for (const int status : {200, 399, 600}) {
    EXPECT_EQ(answer(app, {.target = '/' + std::to_string(status)}).status, 500);
    EXPECT_THAT(lines, ElementsAre(EndsWith("http_error of status " + std::to_string(status) +
                                            ", which is none of an error: text")));
    lines.clear();
  }
  for (const int status : {400, 599}) {
    EXPECT_EQ(answer(app, {.target = '/' + std::to_string(status)}).status, status);
    EXPECT_THAT(lines, IsEmpty());
  }
}

TEST(ExceptionTest, HttpErrorWithAFieldThatNobodyMaySendIs500) {
  std::vector<std::string> lines;
  const detail::LogSink sink = [&](Level, std::string_view line) { lines.emplace_back(line); };
  const detail::LogRedirection redirection(sink);
  App app;
  app.get("/", [](Request&, Response&) {
    Fields fields;
    fields.set("Transfer-Encoding", "chunked");
    throw http_error(404, "text", fields);
  });
  const Answer got = answer(app, {});
  EXPECT_EQ(got.status, 500);
  EXPECT_EQ(got.body, "Internal Server Error\n");
  EXPECT_THAT(lines, ElementsAre(HasSubstr("answering 404: Transfer-Encoding is not")));
}

// Caught for good, either would end the process.
TEST(ExceptionTest, TheEndOfAThreadPasses) {
  const auto end = [] { ::pthread_exit(nullptr); };
  const auto fail = [](Request&, Response&) { throw std::logic_error("first"); };
  const auto send = [](Request&, Response& res) { res.send("ok"); };
  const struct {
    const char* name;
    std::function<void(App&)> build;
  } rows[] = {
      {"handler", [&](App& app) { app.get("/", [&](Request&, Response&) { end(); }); }},
      {"middleware",
       [&](App& app) { app.use([&](Request&, Response&, const Handler&) { end(); }); }},
      {"hook",
       [&](App& app) {
         app.get("/",
                 [&](Request&, Response& res) { res.before_start([&](Response&) { end(); }); });
       }},
      {"transform",
       [&](App& app) {
         app.get("/", [&](Request&, Response& res) {
           res.transform([&](std::string_view text, bool) {
             end();
             return std::string(text);
           });
         });
       }},
      {"on_error",
       [&](App& app) {
         app.get("/", fail);
         app.on_error([&](Request&, Response&, const std::exception_ptr&) { end(); });
       }},
      {"clock",
       [&](App& app) {
         app.get("/", send);
         app.use(middleware::rate_limit({.now = [&] {
           end();
           return std::chrono::steady_clock::time_point();
         }}));
       }},
      {"access log",
       [&](App& app) {
         app.get("/", send);
         app.use(middleware::access_log({.write = [&](std::string_view) { end(); }}));
       }},
      {"log sink",
       [&](App& app) {
         app.get("/", [&](Request&, Response&) {
           const detail::LogSink sink = [&](Level, std::string_view) { end(); };
           const detail::LogRedirection redirection(sink);
           log(Level::info, "line");
         });
       }},
  };
  for (const auto& row : rows) {
    App app;
    bool unwound = false;
    bool returned = false;
    struct Notice {
      ~Notice() { seen = true; }
      bool& seen;
    };
    row.build(app);
    std::thread([&] {
      const Notice notice{unwound};
      answer(app, {.variables = {{"REMOTE_ADDR", "192.0.2.7"}}});
      returned = true;
    }).join();
    EXPECT_TRUE(unwound) << row.name;
    EXPECT_FALSE(returned) << row.name;
  }
}

TEST(ExceptionTest, TheEndOfAFiberPasses) {
  App app;
  bool unwound = false;
  bool returned = false;
  struct Notice {
    ~Notice() { seen = true; }
    bool& seen;
  };
  {
    boost::context::fiber fiber([&](boost::context::fiber&& outside) {
      app.get("/", [&](Request&, Response&) {
        const Notice notice{unwound};
        outside = std::move(outside).resume();
      });
      answer(app, {});
      returned = true;
      return std::move(outside);
    });
    fiber = std::move(fiber).resume();
  }
  EXPECT_TRUE(unwound);
  EXPECT_FALSE(returned);
}

}  // namespace
}  // namespace viaduct::test
