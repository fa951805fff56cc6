#include <cstring>
#include <string>

#include <gmock/gmock.h>
#include <viaduct/request.hpp>

#include "sdk/src/request_state.hpp"

namespace viaduct::detail {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class NoBody final : public BodySource {
 public:
  [[nodiscard]] std::optional<std::uint64_t> length() const override { return std::nullopt; }
  std::size_t read(std::span<std::byte>) override { return 0; }
};

class NoControl final : public RequestControl {
 public:
  [[nodiscard]] std::stop_token stop() override { return {}; }
  [[nodiscard]] bool draining() const override { return false; }
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const override {
    return std::chrono::steady_clock::time_point::max();
  }
};

class RequestTest : public ::testing::Test {
 protected:
  void begin(std::initializer_list<std::pair<const char*, const char*>> params) {
    state.finish();
    protocol::RequestHead head;
    for (const auto& [name, value] : params) head.params.add(name, value);
    state.begin(head);
    ASSERT_TRUE(state.derive_path());
  }

  NoBody body;
  NoControl control;
  RequestState state{body, control};
  Request req{state};
};

TEST_F(RequestTest, ShowsWhatTheFrontSent) {
  begin({{"REQUEST_METHOD", "POST"},
         {"REQUEST_URI", "/a%20b?x=1&y=%20"},
         {"SCRIPT_NAME", "/a b"},
         {"QUERY_STRING", "x=1&y=%20"},
         {"HTTP_HOST", "h.example:8080"},
         {"REMOTE_ADDR", "::1"},
         {"REMOTE_PORT", "4711"},
         {"HTTPS", "on"}});
  EXPECT_EQ(req.method(), "POST");
  EXPECT_EQ(req.target(), "/a%20b?x=1&y=%20");
  EXPECT_EQ(req.path(), "/a b");
  EXPECT_EQ(req.raw_path(), "/a%20b");
  EXPECT_EQ(req.raw_query(), "x=1&y=%20");
  EXPECT_EQ(req.query().get("y"), " ");
  EXPECT_EQ(req.host(), "h.example:8080");
  EXPECT_EQ(req.scheme(), "https");
  EXPECT_EQ(req.remote_addr(), "::1");
  EXPECT_EQ(req.remote_port(), 4711U);
  EXPECT_EQ(req.role(), Role::responder);
}

TEST_F(RequestTest, HeadersCarryTheirHttpNames) {
  begin({{"HTTP_USER_AGENT", "t"},
         {"HTTP_PROXY", "evil"},
         {"CONTENT_TYPE", "text/plain"},
         {"CONTENT_LENGTH", ""},
         {"HTTP_X_A_B", "1, 2"}});
  EXPECT_THAT(req.headers().items(),
              ElementsAre(Pair("User-Agent", "t"), Pair("Content-Type", "text/plain"),
                          Pair("X-A-B", "1, 2")));
  EXPECT_FALSE(req.env("HTTP_PROXY"));
  EXPECT_EQ(req.env("CONTENT_LENGTH"), "");
  EXPECT_FALSE(req.env("NOWHERE"));
}

TEST_F(RequestTest, QueriesWithTooManyPairsAre400) {
  std::string query;
  for (int i = 0; i < 1024; ++i) query += "a=1&";
  begin({{"QUERY_STRING", query.c_str()}});
  EXPECT_EQ(req.query().items().size(), 1024U);
  query += 'a';
  begin({{"QUERY_STRING", query.c_str()}});
  for (int again = 0; again < 2; ++again) {
    try {
      (void)req.query();
      ADD_FAILURE() << "accepted";
    } catch (const http_error& error) {
      EXPECT_EQ(error.status, 400);
    }
  }
  EXPECT_EQ(req.raw_query(), query);
}

TEST_F(RequestTest, CookiesAreSeparatedBySemicolons) {
  begin({{"HTTP_COOKIE", "a=1; b=\"two\"; c=x=y, z=4;d=4; a=9; e=;  f = 6 "}});
  EXPECT_EQ(req.cookie("a"), "1");
  EXPECT_EQ(req.cookie("b"), "two");
  EXPECT_EQ(req.cookie("c"), "x=y, z=4");
  EXPECT_FALSE(req.cookie("z"));
  EXPECT_EQ(req.cookie("d"), "4");
  EXPECT_EQ(req.cookie("e"), "");
  EXPECT_EQ(req.cookie("f"), "6");
  EXPECT_FALSE(req.cookie("g"));
  EXPECT_FALSE(req.cookie(""));
}

TEST_F(RequestTest, IdIsTheFrontsWhenItIsSane) {
  begin({{"REQUEST_ID", "abc-1"}});
  EXPECT_EQ(req.id(), "abc-1");
  begin({{"HTTP_X_REQUEST_ID", "has space"}});
  const std::string own(req.id());
  EXPECT_EQ(own.size(), 20U);
  EXPECT_EQ(req.id(), own);
  begin({{"REQUEST_ID", std::string(129, 'x').c_str()}});
  EXPECT_EQ(req.id().size(), 20U);
  EXPECT_NE(req.id(), own);
  begin({{"REQUEST_ID", std::string(128, 'x').c_str()}});
  EXPECT_EQ(req.id().size(), 128U);
}

TEST_F(RequestTest, CapturesConvert) {
  begin({{"REQUEST_URI", "/"}});
  const std::vector<std::string> names = {"n", "s"};
  state.set_capture_names(&names);
  state.capture_values() = {"300", "text"};
  EXPECT_EQ(req.arg("s"), "text");
  EXPECT_FALSE(req.arg("other"));
  EXPECT_EQ(req.arg<int>("n"), 300);
  EXPECT_EQ(req.arg<std::string>("s"), "text");
  EXPECT_EQ(req.arg<double>("n"), 300.0);
  EXPECT_THROW((void)req.arg<std::uint8_t>("n"), http_error);  // does not fit
  for (const char* const text :
       {"nan", "NAN", "-nan", "nan(1)", "inf", "-inf", "infinity", "1e999", "-1e999", "", " 1"}) {
    state.capture_values() = {text, "text"};
    EXPECT_THROW((void)req.arg<double>("n"), http_error) << text;
    EXPECT_THROW((void)req.arg<float>("n"), http_error) << text;
  }
  state.capture_values() = {"-1.5e3", "text"};
  EXPECT_EQ(req.arg<double>("n"), -1500.0);
  EXPECT_THROW((void)req.arg<int>("s"), http_error);
  EXPECT_THROW((void)req.arg<int>("other"), std::logic_error);
}

TEST_F(RequestTest, UrlPutsTheMountInFront) {
  begin({{"REQUEST_URI", "/my%20app/x"}, {"SCRIPT_NAME", "/my app"}, {"PATH_INFO", "/x"}});
  EXPECT_EQ(req.script_name(), "/my app");
  EXPECT_EQ(req.url("/list") + "?page=2", "/my%20app/list?page=2");
  EXPECT_EQ(req.url("caf\xC3\xA9") + "#top", "/my%20app/caf%C3%A9#top");
  EXPECT_EQ(req.url(""), "/my%20app/");
  EXPECT_EQ(req.url("//host"), "/my%20app//host");
}

TEST_F(RequestTest, AbsoluteTargetsCountAsPathQueryAndHost) {
  const struct {
    const char* uri;
    const char* target;
    const char* host;
    const char* path;
  } rows[] = {
      {"http://other.org/zz?x=1", "/zz?x=1", "other.org", "/zz"},
      {"http://other.org:81", "/", "other.org:81", "/"},
      {"https://other.org?x=/", "/?x=/", "other.org", "/"},
      {"/zz?x=http://other.org/", "/zz?x=http://other.org/", "h", "/zz"},
      {"*", "*", "h", "*"},
      {"http:///zz", "http:///zz", "h", "/zz"},
  };
  for (const auto& row : rows) {
    begin({{"REQUEST_URI", row.uri}, {"HTTP_HOST", "h"}});
    EXPECT_EQ(req.target(), row.target) << row.uri;
    EXPECT_EQ(req.host(), row.host) << row.uri;
    EXPECT_EQ(req.headers().get("Host"), row.host) << row.uri;
    EXPECT_EQ(req.path(), row.path) << row.uri;
    EXPECT_EQ(req.env("REQUEST_URI"), row.uri);
  }
  begin({{"REQUEST_URI", "/"}, {"HTTP_HOST", "h"}});
  EXPECT_EQ(req.host(), "h");
}

TEST_F(RequestTest, UrlStaysOnThisHost) {
  const struct {
    const char* path;
    const char* url;
  } rows[] = {
      {"", "/"},
      {"/", "/"},
      {"//", "/"},
      {"///", "/"},
      {"//evil.example", "/evil.example"},
      {"///evil.example/x", "/evil.example/x"},
      {"/\\evil.example", "/%5Cevil.example"},
      {"\\\\evil.example", "/%5C%5Cevil.example"},
      {"/\t/evil.example", "/%09/evil.example"},
      {"https://evil.example", "/https://evil.example"},
      {"/a//b", "/a//b"},
      {"/what?", "/what%3F"},
      {"/a?b=c#d", "/a%3Fb=c%23d"},
      {"/100%", "/100%25"},
      {"/%2F", "/%252F"},
      {"/line\r\nX-Y: 1", "/line%0D%0AX-Y:%201"},
  };
  begin({{"REQUEST_URI", "/"}, {"SCRIPT_NAME", ""}, {"PATH_INFO", "/"}});
  for (const auto& row : rows) EXPECT_EQ(req.url(row.path), row.url) << row.path;
  begin({{"REQUEST_URI", "//host/x"}, {"SCRIPT_NAME", "//host"}, {"PATH_INFO", "/x"}});
  EXPECT_EQ(req.url("/y"), "/host/y");
  begin({{"REQUEST_URI", "/x"}, {"SCRIPT_NAME", "app"}, {"PATH_INFO", "/x"}});
  EXPECT_EQ(req.url("/y"), "/app/y");
}

// Of any request, whatever its path: one that leads there again.
TEST_F(RequestTest, UrlOfThePathLeadsBack) {
  for (const char* const target :
       {"/", "/a%3Fb%23c", "/a%20b", "/%25", "/a/", "/caf%C3%A9", "/a;b=c", "/%5Chost"}) {
    begin({{"REQUEST_URI", target}});
    const std::string path(req.path());
    const std::string url = req.url(path);
    begin({{"REQUEST_URI", url.c_str()}});
    EXPECT_EQ(req.path(), path) << url;
  }
}

TEST_F(RequestTest, LocalsBelongToOneRequest) {
  struct Counter {
    int n = 0;
  };
  begin({});
  ++req.local<Counter>().n;
  ++req.local<Counter>().n;
  EXPECT_EQ(req.local<Counter>().n, 2);
  EXPECT_EQ(req.local<std::string>(), "");
  begin({});
  EXPECT_EQ(req.local<Counter>().n, 0);
}

}  // namespace
}  // namespace viaduct::detail
