// Clients behind a proxy that speaks HTTP to an application.
#include "sdk/src/runtime/client_source.hpp"

#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <viaduct/middleware.hpp>

#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

using detail::ClientSource;
using detail::ClientSourceWords;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::string problem_of(const ClientSourceWords& words) {
  try {
    const ClientSource source(words);
    return "";
  } catch (const std::invalid_argument& problem) {
    return problem.what();
  }
}

TEST(ClientSource, WordsThatDoNotFitAreExplained) {
  struct Row {
    ClientSourceWords words;
    const char* problem;
  };
  for (const Row& row :
       {Row{{}, ""}, Row{{.forwarded = "none"}, ""},
        Row{{.trusted = "10.0.0.1", .forwarded = "none"}, ""},
        Row{{.trusted = "10.0.0.0/8, ::1,uid:0 ,gid:root", .forwarded = "forwarded", .host = true},
            ""},
        Row{{.trusted = "::1", .forwarded = "x-forwarded-for", .proto = true, .port = true}, ""},
        Row{{.trusted = "10.0.0.1"}, "--trusted: --forwarded has to say"},
        Row{{.forwarded = "forwarded"}, "--forwarded: --trusted has to name"},
        Row{{.trusted = "proxy", .forwarded = "none"}, "--trusted: \"proxy\": expected an IP"},
        Row{{.trusted = "uid:nobody1", .forwarded = "none"}, "no user named \"nobody1\""},
        Row{{.trusted = "gid:nogroup1", .forwarded = "none"}, "no group named \"nogroup1\""},
        Row{{.trusted = "::1", .forwarded = "x-real-ip"}, "--forwarded: expected"},
        Row{{.host = true}, "--forwarded-host: only with"},
        Row{{.proto = true}, "--forwarded-proto: only with"},
        Row{{.port = true}, "--forwarded-port: only with"},
        Row{{.trusted = "::1", .forwarded = "forwarded", .port = true}, "the port in host="}}) {
    const std::string problem = problem_of(row.words);
    EXPECT_THAT(problem, HasSubstr(row.problem));
    EXPECT_EQ(problem.empty(), *row.problem == '\0') << problem;
  }
}

class ClientSourceTest : public ModelTest {
 protected:
  ClientSourceTest() {
    app.use(middleware::security_headers({.strict_transport = std::chrono::hours(1)}));
    app.use(middleware::rate_limit({.per_second = 0.0001, .burst = 1}));
    app.get("/", [](Request& req, Response& res) {
      std::string text = std::string(req.remote_addr()) + " " + std::string(req.scheme()) + " " +
                         std::string(req.host()) + " fields:";
      for (const auto& [name, value] : req.headers().items()) {
        if (name != "Host") text += name;
      }
      res.send(text + "\n");
    });
  }
  [[nodiscard]] std::unique_ptr<Serving> serve_http(const ClientSourceWords& words) {
    return std::make_unique<Serving>(
        app, detail::ServerOptions{.model = GetParam(), .client_source = ClientSource(words)},
        detail::Listener::Protocol::http);
  }
  static std::string me() { return "uid:" + std::to_string(::geteuid()); }
  // The answer to one request on a connection of its own.
  static std::string get(const Serving& serving, std::string_view fields) {
    std::string address = serving.address();
    address.replace(0, 6, 1, '\0');  // unix:@
    boost::asio::io_context io;
    boost::asio::local::stream_protocol::socket socket(io);
    socket.connect(boost::asio::local::stream_protocol::endpoint(address));
    const std::string request =
        "GET / HTTP/1.1\r\nHost: inner\r\nConnection: close\r\n" + std::string(fields) + "\r\n";
    boost::asio::write(socket, boost::asio::buffer(request));
    std::string text;
    boost::system::error_code end;
    boost::asio::read(socket, boost::asio::dynamic_buffer(text), end);
    return text;
  }
};

INSTANTIATE_TEST_SUITE_P(Models, ClientSourceTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

constexpr std::string_view kFields =
    "X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.0.0.1\r\nX-Forwarded-Proto: https\r\n"
    "X-Forwarded-Host: shop.test\r\nForwarded: for=6.6.6.6;proto=https;host=evil.example\r\n"
    "X-Real-IP: 6.6.6.6\r\n";

TEST_P(ClientSourceTest, NobodyIsBelievedUnlessTrusted) {
  for (const ClientSourceWords& words :
       {ClientSourceWords{}, ClientSourceWords{.trusted = me(), .forwarded = "none"},
        ClientSourceWords{.trusted = "uid:4294967294,0.0.0.0/0,::/0",
        .forwarded = "x-forwarded-for",
        .host = true,
        .proto = true}}) {
    const auto serving = serve_http(words);
    EXPECT_THAT(get(*serving, kFields), AllOf(HasSubstr("\r\n\r\n http inner fields:Connection\n"),
                                              Not(HasSubstr("Strict-Transport-Security"))));
  }
}

TEST_P(ClientSourceTest, ATrustedProxyIsBelievedInOneField) {
  const auto serving = serve_http({.trusted = me() + ",10.0.0.0/8",
                                   .forwarded = "x-forwarded-for",
                                   .host = true,
                                   .proto = true});
  EXPECT_THAT(get(*serving, kFields),
              AllOf(HasSubstr("\r\n\r\n192.0.2.7 https shop.test fields:Connection\n"),
                    HasSubstr("Strict-Transport-Security")));
  const auto other = serve_http({.trusted = me(), .forwarded = "forwarded"});
  EXPECT_THAT(get(*other, kFields), HasSubstr("\r\n\r\n6.6.6.6 http inner fields:Connection\n"));
}

TEST_P(ClientSourceTest, ContradictionsAreIgnoredAndSaidOnce) {
  const auto serving = serve_http({.trusted = me(), .forwarded = "x-forwarded-for", .proto = true});
  get(*serving, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n");
  EXPECT_THAT(lines(), Not(Contains(HasSubstr("X-Forwarded-Proto"))));
  for (const std::string address : {"192.0.2.2", "192.0.2.3"}) {
    EXPECT_THAT(
        get(*serving, "X-Forwarded-For: " + address + "\r\nX-Forwarded-Proto: https, http\r\n"),
        HasSubstr("\r\n\r\n" + address + " http inner "));
  }
  EXPECT_THAT(lines(1), Contains(HasSubstr("X-Forwarded-Proto")).Times(1));
}

TEST_P(ClientSourceTest, ClientsBehindOneProxyAreLimitedOneByOne) {
  const auto serving = serve_http({.trusted = me(), .forwarded = "x-forwarded-for"});
  EXPECT_THAT(get(*serving, "X-Forwarded-For: 192.0.2.1\r\n"), HasSubstr("HTTP/1.1 200"));
  EXPECT_THAT(get(*serving, "X-Forwarded-For: 192.0.2.2\r\n"), HasSubstr("HTTP/1.1 200"));
  EXPECT_THAT(get(*serving, "X-Forwarded-For: 7.7.7.7, 192.0.2.1\r\n"), HasSubstr("HTTP/1.1 429"));
}

}  // namespace
}  // namespace viaduct::test
