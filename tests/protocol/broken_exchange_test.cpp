// Scripted exchanges that go wrong at every byte in turn: the connection ends there, garbage
// follows, or that byte is another one. What was reported before must stand, nothing may be
// reported that was not sent, and the tracer's own conditions hold throughout
// (tests/support/trace.hpp).

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "protocol/fastcgi/client_codec.hpp"
#include "protocol/fastcgi/server_codec.hpp"
#include "protocol/http/codec.hpp"
#include "protocol/scgi/codec.hpp"
#include "protocol/uwsgi/codec.hpp"
#include "tests/support/fastcgi_records.hpp"
#include "tests/support/scgi_bytes.hpp"
#include "tests/support/trace.hpp"
#include "tests/support/uwsgi_bytes.hpp"

namespace viaduct::protocol {
namespace {

using test::record;
using test::stdin_record;

// The whole lines of events in a trace: without what was written and the error, and without the
// last body, which may be a part of the whole one's.
std::string events(const std::string& trace) {
  std::string text = trace.substr(0, trace.rfind("wrote "));
  if (const std::size_t at = text.find("error ("); at != std::string::npos) text.resize(at);
  const std::size_t last = text.size() < 2 ? std::string::npos : text.rfind('\n', text.size() - 2);
  const std::string_view line =
      std::string_view(text).substr(last == std::string::npos ? 0 : last + 1);
  const bool content = line.starts_with("body ") || line.starts_with("data ") ||
                       line.starts_with("output ") || line.starts_with("errors ");
  if (content) text.resize(text.size() - line.size());
  return text;
}

template <class MakeCodec>
void break_everywhere(MakeCodec make, const std::string& script) {
  const auto run = [&](const std::string& bytes) {
    auto codec = make();
    return test::trace(*codec, {bytes});
  };
  const std::string whole = run(script);
  ASSERT_EQ(whole.find("error ("), std::string::npos) << whole;
  for (std::size_t at = 0; at < script.size(); ++at) {
    const std::string before = script.substr(0, at);
    EXPECT_TRUE(whole.starts_with(events(run(before)))) << "ends at " << at;
    // Garbage may complete a record or a value; what stood before it is reported all the same.
    const std::string reported = events(run(before));
    EXPECT_TRUE(run(before + std::string(64, 'X')).starts_with(reported)) << "garbage at " << at;
    for (const char wrong : {'\0', '\1', '\x7f', '\x80', '\xff'}) {
      std::string bytes = script;
      bytes[at] = wrong;
      EXPECT_TRUE(run(bytes).starts_with(reported)) << "byte " << at;
    }
  }
}

TEST(BrokenExchange, FastCgiServer) {
  const fastcgi::ServerOptions options{.limits = {.requests = 8}, .window = 65536};
  break_everywhere([&] { return std::make_unique<fastcgi::ServerCodec>(options); },
                   test::get_values({{"FCGI_MAX_REQS", ""}, {"VIADUCT_WINDOW", "65536"}}) +
                       test::begin_record(1) + test::begin_record(2) +
                       test::params_records(1, {{"CONTENT_LENGTH", "5"}, {"A", "1"}}) +
                       test::params_records(2, {{"LONG", std::string(130, 'v')}}) +
                       stdin_record(2, "") + stdin_record(1, "hello", 3) +
                       test::credit_record(2, 100) + stdin_record(1, "") + test::abort_record(2) +
                       record(77, 0, "x") + test::begin_record(3, 9));
}

TEST(BrokenExchange, FastCgiClient) {
  break_everywhere(
      [] {
        auto codec = std::make_unique<fastcgi::ClientCodec>();
        codec->get_values(65536);
        codec->output().consume(codec->output().size());
        return codec;
      },
      record(FCGI_GET_VALUES_RESULT, 0,
             test::pairs({{"FCGI_MPXS_CONNS", "1"}, {"VIADUCT_WINDOW", "65536"}}), 2) +
          record(FCGI_STDOUT, 1, "Content-Type: text/plain\r\n\r\n", 4) +
          record(FCGI_STDERR, 2, "oops") + test::credit_record(1, 77) +
          record(FCGI_STDOUT, 1, "hello", 3) + record(FCGI_STDOUT, 1, "") + test::end_record(1, 3) +
          test::end_record(2, 0, FCGI_OVERLOADED));
}

TEST(BrokenExchange, Scgi) {
  break_everywhere([] { return std::make_unique<scgi::ServerCodec>(Limits{}); },
                   test::scgi_request({{"REQUEST_METHOD", "POST"}, {"HTTP_COOKIE", "a"}}, "body"));
}

TEST(BrokenExchange, Http) {
  const std::string post = "POST /a HTTP/1.1\r\nHost: h\r\n";
  const auto make = [] { return std::make_unique<http::ServerCodec>(http::ServerOptions{}); };
  break_everywhere(make, post + "Content-Length: 4\r\nCookie: a\r\n\r\nbody");
  break_everywhere(make, post +
                             "Transfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2;x=y\r\ndy\r\n"
                             "0\r\nA: b\r\n\r\n");
}

TEST(BrokenExchange, Uwsgi) {
  break_everywhere([] { return std::make_unique<uwsgi::ServerCodec>(Limits{}); },
                   test::uwsgi_request({{"REQUEST_METHOD", "POST"}, {"HTTP_COOKIE", "a"}}, "body"));
}

}  // namespace
}  // namespace viaduct::protocol
