// Front servers, or who poses as one, that lie about lengths, numbers and names.

#include <fastcgi.h>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/attack.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using test::NameValues;

const NameValues kGet = {{"REQUEST_METHOD", "GET"},
                         {"REQUEST_URI", "/"},
                         {"SCRIPT_NAME", "/"},
                         {"QUERY_STRING", ""},
                         {"SERVER_PROTOCOL", "HTTP/1.1"}};

NameValues with(const NameValues& front, const NameValues& more) {
  NameValues all = front;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST_F(AttackTest, EmptyAndLargestRecordsPass) {
  start();
  FakeWorker& worker = add_worker();
  const std::string largest(65535, 'x');
  const auto client = connect();
  client->begin(1, variables("POST", "/"));
  for (int i = 0; i < 3; ++i) client->raw(test::stdin_record(1, largest, 255));
  client->raw(test::record(FCGI_STDIN, 1, "", 255));
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the body");
  EXPECT_EQ(request->body, largest + largest + largest);

  WorkerLink& link = *request->link;
  link.raw(test::record(FCGI_STDOUT, request->id, "Status: 200 Fine\r\n\r\n", 255));
  for (int i = 0; i < 1000; ++i) link.raw(test::record(FCGI_STDERR, request->id, ""));
  for (int i = 0; i < 2; ++i) link.raw(test::record(FCGI_STDOUT, request->id, largest, 255));
  link.raw(test::record(FCGI_STDOUT, request->id, "last", 255));
  link.raw(test::record(FCGI_STDOUT, request->id, "", 255));
  request->end();
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).body(), largest + largest + "last");
  expect_service(worker);
}

TEST_F(AttackTest, EveryRequestIdAtOnceIsHeldToALimit) {
  constexpr std::uint32_t kIds = 65535;
  constexpr std::uint32_t kServed = 1024;  // of one connection
  shop(settings).limits.queue = 4 * kServed;
  shop(settings).timeouts.queue = {};
  start();
  FakeWorker& worker = add_worker();
  const std::size_t before = bridge().resident();
  const auto client = connect();
  for (std::uint32_t id = 1; id <= kIds; ++id) client->begin(id, variables("GET", "/"), true);
  const auto refused = [&] {
    std::uint32_t count = 0;
    for (std::uint32_t id = kServed + 1; id <= kIds; ++id) count += client->answer(id).ended;
    return count;
  };
  until([&] { return client->unsent() == 0 && refused() == kIds - kServed; }, "refusals");
  EXPECT_EQ(static_cast<std::uint32_t>(score().active + score().queued), kServed);
  for (std::uint32_t id = kServed + 1; id <= kIds; ++id) {
    const Answer& answer = client->answer(id);
    ASSERT_TRUE(answer.status() == 503 ||
                answer.protocol_status == protocol::fastcgi::ProtocolStatus::overloaded)
        << id << " " << answer.output;
  }
  EXPECT_LT(bridge().resident(), before + 32 * 1024 * 1024);
  client->close();
  expect_service(worker);
}

TEST_F(AttackTest, LiveIdThatBeginsAnewEndsItsConnectionOnly) {
  start();
  FakeWorker& worker = add_worker();
  const std::string begun = test::begin_record(1) + test::params_records(1, kGet);
  const auto client = attack(fastcgi, begun);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  client->raw(test::begin_record(1));
  ASSERT_TRUE(client->wait_closed());
  EXPECT_EQ(client->received(), "");
  until([&] { return request->aborted; }, "the abort");
  expect_service(worker);
}

TEST_F(AttackTest, VariablesThatLieAboutTheirLengths) {
  start();
  FakeWorker& worker = add_worker();
  const std::string name = "REQUEST_METHOD";
  const auto params = [](const std::string& stream) {
    return test::begin_record(1, 1, 0) + test::record(FCGI_PARAMS, 1, stream) +
           test::record(FCGI_PARAMS, 1, "") + test::record(FCGI_STDIN, 1, "");
  };
  const std::string huge = test::long_length(0x7fffffff);
  const struct {
    const char* what;
    Listener listener;
    std::string bytes;
    int status;  // 0: closed without an answer
  } rows[] = {
      {"CVE-2025-23016", fastcgi, params(huge + huge + "x"), 431},
      {"name of 2 GiB", fastcgi, params(huge + test::long_length(0) + "x"), 431},
      {"value of 2 GiB", fastcgi, params(test::long_length(1) + huge + "x"), 431},
      {"value longer than the stream", fastcgi, params(std::string("\1\5Ax", 4)), 400},
      {"stream ends in a length", fastcgi, params(std::string("\1\x80\0", 3)), 400},
      {"name that is empty", fastcgi, params(std::string("\0\1x", 3)), 400},
      {"block without its last NUL", scgi, test::netstring("CONTENT_LENGTH"), 0},
      {"block of names without values", scgi, test::netstring(std::string("CONTENT_LENGTH\0", 15)),
       0},
      {"netstring longer than said", scgi, "3:CONTENT_LENGTH,", 0},
      {"value longer than the block", uwsgi,
       test::uwsgi_packet(std::string("\1\0A\xff\xff", 5) + "x"), 0},
      {"name longer than the block", uwsgi, test::uwsgi_packet(std::string("\xff\xff", 2) + "A"),
       0},
      {"block ends in a length", uwsgi, test::uwsgi_packet(std::string("\1\0A\1", 4)), 0},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const auto client = attack(row.listener, row.bytes);
    ASSERT_TRUE(client->wait_closed());
    EXPECT_EQ(status(*client), row.status);
    EXPECT_FALSE(worker.has_request());
  }
  expect_service(worker);
}

TEST_F(AttackTest, ContentLengthsThatLie) {
  shop(settings).limits.body = 1000;
  start();
  FakeWorker& worker = add_worker();
  const struct {
    NameValues lengths;
    int status;
    bool scgi_answers;  // its own framing is intact
  } rows[] = {
      {{{"CONTENT_LENGTH", "-5"}}, 400, false},
      {{{"CONTENT_LENGTH", "+5"}}, 400, false},
      {{{"CONTENT_LENGTH", " 5"}}, 400, false},
      {{{"CONTENT_LENGTH", "5 "}}, 400, false},
      {{{"CONTENT_LENGTH", "5 6"}}, 400, false},
      {{{"CONTENT_LENGTH", "5, 6"}}, 400, false},
      {{{"CONTENT_LENGTH", "0x5"}}, 400, false},
      {{{"CONTENT_LENGTH", "five"}}, 400, false},
      {{{"CONTENT_LENGTH", "18446744073709551621"}}, 400, false},
      {{{"CONTENT_LENGTH", "18446744073709551615"}}, 413, true},
      {{{"CONTENT_LENGTH", "9223372036854775807"}}, 413, true},
      {{{"CONTENT_LENGTH", "1001"}}, 413, true},
      {{{"CONTENT_LENGTH", "5"}, {"CONTENT_LENGTH", "6"}}, 400, false},
  };
  for (const auto& row : rows) {
    for (const Listener listener : {fastcgi, scgi, uwsgi}) {
      SCOPED_TRACE(std::to_string(listener) + " " + row.lengths.front().second);
      // STDIN that ends at once would be a lie of its own.
      const NameValues variables = with(row.lengths, kGet);
      const auto client =
          attack(listener, listener == fastcgi
                               ? test::begin_record(1, 1, 0) + test::params_records(1, variables)
                               : encode(listener, variables));
      ASSERT_TRUE(client->wait_closed());
      EXPECT_EQ(status(*client), listener == scgi && !row.scgi_answers ? 0 : row.status);
      EXPECT_FALSE(worker.has_request());
    }
  }
  expect_service(worker);
}

TEST_F(AttackTest, HttpoxyIsDroppedOnEveryProtocol) {
  start();
  FakeWorker& worker = add_worker();
  const NameValues evil = with({{"CONTENT_LENGTH", "0"}, {"HTTP_PROXY", "http://evil/"}}, kGet);
  const auto check = [&](Listener listener, const std::string& bytes) {
    SCOPED_TRACE(listener);
    const auto client = attack(listener, bytes);
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    EXPECT_EQ(request->params.get("HTTP_PROXY"), std::nullopt);
    EXPECT_EQ(request->param("REQUEST_METHOD"), "GET");
    request->respond("ok");
    ASSERT_TRUE(client->wait_for("ok"));
  };
  for (const Listener listener : {fastcgi, scgi, uwsgi}) check(listener, encode(listener, evil));
  check(http, "GET / HTTP/1.1\r\nHost: h\r\npROXY: http://evil/\r\n\r\n");
}

// CVE-2019-11043: nginx and PHP-FPM disagreed about a PATH_INFO that a line feed had emptied.
// CVE-2026-27590: lengths counted before letters were folded.
TEST_F(AttackTest, PathsAreNeitherCutNorFolded) {
  start();
  FakeWorker& worker = add_worker();
  const struct {
    std::string script_name;
    std::string path_info;
  } rows[] = {
      {"/index.php", ""},
      {"", ""},
      {"/index.php/a\nb.php", ""},
      {"/index.php", "/a\nb"},
      {"/index.php", "\n"},
      {"/index.php", std::string(40'000, '/')},
      {"/\xe2\x84\xaa.php", "/\xc8\xba\xc8\xba.php"},
      {"/../../etc/passwd", "/..%2f..\\"},
  };
  for (const auto& row : rows) {
    for (const Listener listener : {fastcgi, scgi, uwsgi}) {
      const auto client = attack(listener, encode(listener, {{"CONTENT_LENGTH", "0"},
                                                             {"REQUEST_METHOD", "GET"},
                                                             {"REQUEST_URI", "/x"},
                                                             {"SCRIPT_NAME", row.script_name},
                                                             {"PATH_INFO", row.path_info}}));
      const auto request = worker.next_request();
      ASSERT_TRUE(request);
      EXPECT_EQ(request->params.get("SCRIPT_NAME"), row.script_name);
      EXPECT_EQ(request->params.get("PATH_INFO"), row.path_info);
      request->respond("ok");
      ASSERT_TRUE(client->wait_for("ok"));
    }
  }
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
