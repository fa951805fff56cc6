// Middleware of the library beside every kind of answer: it may add fields, and nothing else.
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <viaduct/event_stream.hpp>
#include <viaduct/middleware.hpp>
#include <viaduct/session.hpp>

#include "tests/sdk/support/call.hpp"
#include "tests/sdk/support/temporary_directory.hpp"

namespace viaduct::test {
namespace {

struct Layer {
  const char* name;
  std::function<Middleware()> make;
};

const std::vector<Layer>& layers() {
  using namespace middleware;
  static const std::vector<Layer> kLayers = {
      {"access_log", [] { return access_log({.write = [](std::string_view) {}}); }},
      {"timing", [] { return timing(); }},
      {"cors", [] { return cors({.origins = {"https://other.example"}, .expose = {"ETag"}}); }},
      {"body_limit", [] { return body_limit({.bytes = 1}); }},
      {"basic_auth",
       [] {
         return basic_auth({.check = [](std::string_view, std::string_view) { return true; }});
       }},
      {"security_headers", [] { return security_headers(); }},
      {"csrf", [] { return csrf(); }},
      {"rate_limit", [] { return rate_limit({.burst = 1000}); }},
      {"method_override", [] { return method_override(); }},
      {"conditional_get", [] { return conditional_get(); }},
      {"sessions",
       [] {
         return Middleware([keeper = sessions({.keys = {std::string(32, 'k')}})](
                               Request& req, Response& res, const Handler& next) {
           keeper(req, res, [&next](Request& inner, Response& response) {
             session(inner).set("seen", "yes");
             next(inner, response);
           });
         });
       }},
  };
  return kLayers;
}

class EveryAnswerTest : public ::testing::Test {
 protected:
  EveryAnswerTest() { std::ofstream(file) << std::string(50000, 'f'); }

  void add_routes(App& app) const {
    app.log_sink([](Level, std::string_view) {});
    app.get("/text", [](Request&, Response& res) { res.send("text"); });
    app.get("/nothing", [](Request&, Response&) {});
    app.get("/204", [](Request&, Response& res) { res.status(204); });
    app.get("/redirect", [](Request&, Response& res) { res.redirect("/text"); });
    app.get("/refused", [](Request&, Response&) { throw http_error(418, "short and stout"); });
    app.get("/throws", [](Request&, Response&) { throw std::runtime_error("x"); });
    app.get("/throws-42", [](Request&, Response&) { throw 42; });
    app.get("/breaks", [](Request&, Response& res) {
      res.flush();
      throw std::runtime_error("x");
    });
    app.get("/large", [](Request&, Response& res) { res.send(std::string(40000, 'l')); });
    app.get("/pieces", [](Request&, Response& res) {
      for (int i = 0; i < 100; ++i) res.write(std::string(1000, 'p'));
    });
    app.get("/flushed", [](Request&, Response& res) {
      res.write("one ");
      res.flush();
      res.write("two");
    });
    app.get("/tagged", [](Request&, Response& res) {
      res.headers().set("ETag", "\"own\"");
      res.send("tagged");
    });
    app.get("/transformed", [](Request&, Response& res) {
      res.transform(
          [](std::string_view chunk, bool last) { return std::string(chunk) + (last ? "!" : ""); });
      res.send("text");
    });
    app.get("/file", [this](Request&, Response& res) { res.send_file(file); });
    app.get("/events", [](Request& req, Response& res) {
      EventStream(req, res, std::chrono::seconds(3)).send("event");
    });
    app.get("/silent-events",
            [](Request& req, Response& res) { EventStream(req, res, std::chrono::seconds(0)); });
  }

  static std::string text_of(const Answer& got) {
    return std::to_string(got.status) + (got.broken ? " broken " : " ") +
           (got.heartbeat ? "every " + std::to_string(got.heartbeat->count()) + " ms " : "") +
           got.body;
  }
  static std::vector<Call> calls() {
    std::vector<Call> all;
    for (const char* const target :
         {"/text", "/nothing", "/204", "/redirect", "/refused", "/throws", "/throws-42", "/breaks",
          "/large", "/pieces", "/flushed", "/tagged", "/transformed", "/file", "/events",
          "/silent-events", "/nowhere", "/%zz"}) {
      for (const char* const method : {"GET", "HEAD"}) {
        all.push_back({.method = method,
                       .target = target,
                       .variables = {{"HTTP_AUTHORIZATION", "Basic YTpi"},
                                     {"HTTP_ORIGIN", "https://other.example"}}});
      }
    }
    return all;
  }

  TemporaryDirectory directory;
  const std::filesystem::path file = directory.path() / "file.txt";
};

TEST_F(EveryAnswerTest, IsTheSameInsideEveryMiddleware) {
  App bare;
  add_routes(bare);
  for (const Layer& layer : layers()) {
    App app;
    add_routes(app);
    app.use(layer.make());
    for (const Call& call : calls()) {
      EXPECT_EQ(text_of(answer(app, call)), text_of(answer(bare, call)))
          << layer.name << ' ' << call.method << ' ' << call.target;
    }
  }
}

TEST_F(EveryAnswerTest, IsTheSameInsideAllOfThem) {
  App bare;
  add_routes(bare);
  App app;
  add_routes(app);
  for (const Layer& layer : layers()) app.use(layer.make());
  for (const Call& call : calls()) {
    EXPECT_EQ(text_of(answer(app, call)), text_of(answer(bare, call)))
        << call.method << ' ' << call.target;
  }
}

TEST_F(EveryAnswerTest, StreamsKeepTheirHeartbeats) {
  App app;
  add_routes(app);
  for (const Layer& layer : layers()) app.use(layer.make());
  const Call call{.target = "/events", .variables = {{"HTTP_AUTHORIZATION", "Basic YTpi"}}};
  EXPECT_EQ(answer(app, call).heartbeat, std::chrono::seconds(3));
}

}  // namespace
}  // namespace viaduct::test
