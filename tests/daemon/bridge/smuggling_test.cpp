// Request smuggling through the HTTP listener: what the worker gets to see of each row of the
// table.

#include "tests/support/smuggling.hpp"

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"
#include "tests/daemon/bridge/byte_client.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

using test::Smuggling;

class SmugglingTest : public BridgeTest {
 protected:
  std::unique_ptr<ByteClient> open() { return std::make_unique<ByteClient>(stage, socket_path(2)); }

  // Answers what is complete; returns how many requests have been.
  std::size_t answer(FakeWorker& worker, std::size_t from) {
    std::size_t answered = 0;
    for (std::size_t i = from; i < worker.requests.size(); ++i) {
      WorkerRequest& request = *worker.requests[i];
      if (request.end_status) {
        ++answered;
      } else if (request.link != nullptr && request.aborted) {
        request.end();
      } else if (request.link != nullptr && request.body_ended) {
        request.respond("ok");
      }
    }
    return answered;
  }

  static std::string seen(const WorkerRequest& request) {
    return request.param("REQUEST_METHOD") + " " + request.param("REQUEST_URI") + " " +
           request.body + (request.body_ended ? "" : "...");
  }

  // All requests of one bridge thread reach the worker in order: when this one has come, there is
  // nothing on its way any more.
  void send_last(FakeWorker& worker, std::size_t from) {
    const auto client = open();
    client->raw("GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    const auto came = [&] {
      answer(worker, from);
      return worker.requests.size() > from && client->closed() &&
             worker.requests.back()->param("REQUEST_URI") == "/last";
    };
    until(came, "the request behind all others");
    EXPECT_EQ(client->count("HTTP/1.1 200 "), 1u) << client->received();
  }

  void check(FakeWorker& worker, const Smuggling& row);
};

void SmugglingTest::check(FakeWorker& worker, const Smuggling& row) {
  const std::size_t from = worker.requests.size();
  const std::size_t complete =
      std::count_if(row.requests.begin(), row.requests.end(),
                    [](const std::string& request) { return !request.ends_with("..."); });
  const bool breaks_off = row.closed_with != 0 && complete < row.requests.size();
  // A body that is broken when its head comes is no request at all: the head goes alone.
  const std::size_t first = breaks_off ? row.bytes.find("\r\n\r\n") + 4 : row.bytes.size();
  const auto client = open();
  client->raw(std::string_view(row.bytes).substr(0, first));
  if (breaks_off) {
    until([&] { return worker.requests.size() == from + row.requests.size(); }, "the head");
    client->raw(std::string_view(row.bytes).substr(first));
  }
  const auto settled = [&] {
    const std::size_t answered = answer(worker, from);
    if (row.closed_with != 0) return client->closed() || client->failed();
    return client->closed() ||
           (answered >= complete && worker.requests.size() - from >= row.requests.size() &&
            client->count("HTTP/1.1 200 ") >= complete &&
            (row.requests.empty() || seen(*worker.requests.back()) == row.requests.back()));
  };
  until(settled, "an answer");
  EXPECT_EQ(client->closed(), row.closed_with != 0) << client->received();
  if (row.closed_with != 0) {
    const std::size_t last = client->received().rfind("HTTP/1.1 ");
    ASSERT_NE(last, std::string::npos) << "no answer";
    EXPECT_EQ(client->received().substr(last + 9, 3), std::to_string(row.closed_with));
  }
  client->close();
  send_last(worker, from);

  std::vector<std::string> requests;
  for (std::size_t i = from; i + 1 < worker.requests.size(); ++i) {
    requests.push_back(seen(*worker.requests[i]));
  }
  if (breaks_off && requests.size() == row.requests.size()) {
    // What came of the body before it broke may have reached the worker, or not.
    EXPECT_EQ(requests.back(), row.requests.back().substr(0, requests.back().size() - 3) + "...");
    requests.back() = row.requests.back();
  }
  EXPECT_EQ(requests, row.requests);
  if (requests.size() != row.requests.size() || requests.empty()) return;
  const protocol::Pairs& params = worker.requests[from + requests.size() - 1]->params;
  for (const std::string& wanted : row.variables) {
    const std::size_t sign = wanted.find('=');
    if (sign == std::string::npos) {
      EXPECT_EQ(params.get(wanted.substr(1)), std::nullopt);
    } else {
      EXPECT_EQ(params.get(wanted.substr(0, sign)), wanted.substr(sign + 1));
    }
  }
}

TEST_F(SmugglingTest, TheWorkerSeesTheExpectedRequestsAndNoOthers) {
  start();
  FakeWorker& worker = add_worker();
  for (const Smuggling& row : test::smuggling_table()) {
    SCOPED_TRACE(row.name);
    check(worker, row);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
