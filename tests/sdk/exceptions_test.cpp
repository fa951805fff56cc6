// Whatever a callback of the application's throws: the log names it, and the answer agrees.
#include <pthread.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <boost/context/fiber.hpp>
#include <gmock/gmock.h>
#include <viaduct/middleware.hpp>

#include "sdk/src/log_output.hpp"
#include "tests/sdk/support/call.hpp"

namespace viaduct::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Matcher;

struct Own {};

struct Thrown {
  const char* name;
  void (*raise)();
  const char* words;  // in the log
};

const Thrown kThrown[] = {
    {"std", [] { throw std::runtime_error("boom"); }, "boom (std::runtime_error)"},
    {"derived", [] { throw invalid_header("bad"); }, "bad (viaduct::v1::invalid_header)"},
    {"int", [] { throw 42; }, "an exception of type int"},
    {"text", [] { throw "words"; }, "an exception of type char const*"},
    {"own", [] { throw Own(); }, "Own"},
};

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
  static void raise() { GetParam().raise(); }

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
  const struct {
    const char* name;
    Middleware layer;
  } rows[] = {
      {"rate_limit", middleware::rate_limit({.key = [](Request&) -> std::string {
         raise();
         return {};
       }})},
      {"cors", middleware::cors({.allow =
                                     [](std::string_view) {
                                       raise();
                                       return true;
                                     }})},
      {"basic_auth", middleware::basic_auth({.check =
                                                 [](std::string_view, std::string_view) {
                                                   raise();
                                                   return true;
                                                 }})},
  };
  for (const auto& row : rows) {
    App guarded;
    guarded.use(row.layer);
    guarded.get("/", [](Request&, Response& res) { res.send("ok"); });
    lines.clear();
    expect_500(answer(guarded, {.variables = {{"HTTP_AUTHORIZATION", "Basic YTpi"},
                                              {"HTTP_ORIGIN", "https://other.example"}}}));
    EXPECT_THAT(lines, ElementsAre(names("GET /: "))) << row.name;
  }
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
  App app;
  bool unwound = false;
  bool returned = false;
  struct Notice {
    ~Notice() { seen = true; }
    bool& seen;
  };
  app.get("/", [&](Request&, Response&) {
    const Notice notice{unwound};
    ::pthread_exit(nullptr);
  });
  std::thread([&] {
    answer(app, {});
    returned = true;
  }).join();
  EXPECT_TRUE(unwound);
  EXPECT_FALSE(returned);
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
