// Workers that answer what they should not.

#include <fastcgi.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/bridge/attack.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::size_t kMiB = 1024 * 1024;

std::string nul(std::string text) {
  for (char& c : text) c = c == '\1' ? '\0' : c;
  return text;
}

// What a handler writes that puts what a client sent into a field, unchecked.
TEST_F(AttackTest, ResponseSplittingIsAnswered502) {
  start();
  FakeWorker& worker = add_worker();
  const std::string type = "Content-Type: text/plain\r\n";
  const std::string end = "\r\n\r\nforged";
  const std::string heads[] = {
      type + "Location: /a\rSet-Cookie: forged=1" + end,
      type + "Location: /a\r\r\nSet-Cookie: forged=1" + end,
      nul(type + "Location: /a\1forged" + end),
      nul("Status: 200 forged\1" + end),
      "Status: 200 OK\rX: forged" + end,
      type + "Set-Cookie : forged=1" + end,
      type + "forged" + end,
      type + " forged: 1" + end,
      type + ": forged" + end,
      type + "X\x0b: forged" + end,
      type + "Transfer-Encoding: gzip\r\nX: forged" + end,
      type + "Content-Length: 5\r\nContent-Length: 6\r\nX: forged" + end,
      type + "Content-Length: 5, 6\r\nX: forged" + end,
      type + "Content-Length: -1\r\nContent-Length: 6\r\nX: forged" + end,
      "HTTP/1.1 200 OK\rX: forged" + end,
      type + "X: " + std::string(70'000, 'x') + "forged" + end,
  };
  for (const std::string& head : heads) {
    for (const Listener listener : {fastcgi, scgi, uwsgi, http}) {
      SCOPED_TRACE(std::to_string(listener) + ": " + head.substr(0, 80));
      const std::string get = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
      const auto client =
          attack(listener, listener == http ? get
                                            : encode(listener, {{"CONTENT_LENGTH", "0"},
                                                                {"REQUEST_METHOD", "GET"},
                                                                {"REQUEST_URI", "/"}}));
      const auto request = worker.next_request();
      ASSERT_TRUE(request);
      request->write(head);
      ASSERT_TRUE(client->wait_closed());
      EXPECT_EQ(status(*client), 502);
      EXPECT_THAT(client->received(), Not(HasSubstr("forged")));
      until([&] { return request->aborted; }, "the abort");
      request->end();
    }
  }
  expect_service(worker);
}

// A response's fields are the worker's to choose, how it is framed is not.
TEST_F(AttackTest, FieldsAboutTheConnectionAreNotTheWorkers) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = attack(http, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->write(
      "Status: 200 OK\r\nConnection: close\r\nKeep-Alive: timeout=9\r\nUpgrade: h2c\r\n"
      "Trailer: X\r\nX: y\r\n\r\nbody");
  request->end();
  ASSERT_TRUE(client->wait_for("0\r\n\r\n"));
  for (const char* name : {"Connection:", "Keep-Alive:", "Upgrade:", "Trailer:"}) {
    EXPECT_EQ(client->count(name), 0u) << name;
  }
  EXPECT_EQ(client->count("\r\nX: y\r\n"), 1u);
  EXPECT_EQ(client->count("\r\n4\r\nbody\r\n0\r\n\r\n"), 1u);
}

TEST_F(AttackTest, FloodOfDiagnosticsHoldsNobodyUp) {
  start();
  FakeWorker& worker = add_worker();
  const auto silent = connect();
  silent->read(false);
  silent->get(1, "/flood");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  const std::size_t before = bridge().resident();
  const std::string line(8000, 'e');
  for (std::size_t sent = 0; sent < 16 * kMiB; sent += line.size()) {
    request->errors(line + "\n");
    if (sent % (64 * line.size()) == 0) expect_service(worker);
  }
  EXPECT_LT(bridge().resident(), before + 16 * kMiB);
  request->respond("ok");
  silent->read(true);
  ASSERT_TRUE(silent->wait(1));
  EXPECT_EQ(silent->answer(1).body(), "ok");
  EXPECT_LT(silent->answer(1).errors.size(), 8 * kMiB) << "what nobody reads is dropped";
}

TEST_F(AttackTest, FloodOfEmptyRecordsHoldsNobodyUp) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/flood");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  const std::size_t before = bridge().resident();
  std::string records;
  for (int i = 0; i < 1000; ++i) records += test::record(FCGI_STDERR, request->id, "", 255);
  for (int i = 0; i < 50; ++i) {
    request->link->raw(records);
    if (i % 10 == 0) expect_service(worker);
  }
  EXPECT_LT(bridge().resident(), before + 16 * kMiB);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).body(), "ok");
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
