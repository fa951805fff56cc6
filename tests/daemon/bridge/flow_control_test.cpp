// Back pressure, bodies larger than every buffer, bounded memory.

#include <sys/ioctl.h>

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

struct WorkerKind {
  const char* name;
  WorkerOptions options;
};

class Flow : public BridgeTest {
 protected:
  // A client that leaves everything unread, whose request the worker answers with `size` bytes.
  std::shared_ptr<WorkerRequest> big_answer(FakeWorker& worker, FrontClient& client,
                                            std::size_t size) {
    client.get(1, "/big");
    auto request = worker.next_request();
    if (request == nullptr) return nullptr;
    client.read(false);
    request->write("Status: 200\r\n\r\n" + std::string(size, 'x'));
    request->end();
    return request;
  }
};

class AnyWorkerFlow : public Flow, public ::testing::WithParamInterface<WorkerKind> {
 protected:
  // What streams is tested here; see gathering_test for what does not.
  AnyWorkerFlow() { shop(settings).buffer_requests = config::Buffering::never; }
};

INSTANTIATE_TEST_SUITE_P(Workers, AnyWorkerFlow,
                         ::testing::Values(WorkerKind{"Sdk", {}}, WorkerKind{"Plain", plain()}),
                         [](const auto& test) { return test.param.name; });

TEST_P(AnyWorkerFlow, LargeBodiesArriveWhole) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  const auto client = connect();
  std::string body(3 * kMiB + 17, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 % 251);
  client->post(1, "/echo", body);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  until([&] { return request->body_ended; }, "the end of the body");
  EXPECT_TRUE(request->body == body);
  request->write("Status: 200\r\n\r\n");
  request->write(request->body);
  request->end();
  ASSERT_TRUE(client->wait(1));
  EXPECT_TRUE(client->answer(1).body() == body);
  for (const auto& link : worker.all_links) EXPECT_FALSE(link->cheated());
}

TEST_P(AnyWorkerFlow, ClientAndWorkerThatBothWriteBeforeTheyReadDoNotBlockEachOther) {
  start();
  WorkerOptions options = GetParam().options;
  options.return_credit = false;
  FakeWorker& worker = add_worker(options);
  const auto client = connect();
  client->read(false);
  const std::string body(8 * kMiB, 'c');
  client->begin(1, variables("POST", "/", {{"CONTENT_LENGTH", std::to_string(body.size())}}));
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  request->link->read(false);
  request->write("Status: 200\r\n\r\n" + std::string(8 * kMiB, 'w'));
  client->body(1, body);
  client->body_end(1);
  until([&] { return client->unsent() == 0; }, "the client to have written its body");
  client->read(true);
  // Credit for what the worker writes comes on the side on which it reads.
  request->link->read(true);
  until([&] { return client->answer(1).body().size() == 8 * kMiB; }, "the whole response");
  EXPECT_FALSE(client->answer(1).ended);
  request->end();
  ASSERT_TRUE(client->wait(1));
}

TEST_P(AnyWorkerFlow, EarlyAnswerReachesAClientThatKeepsWriting) {
  start();
  FakeWorker& worker = add_worker(GetParam().options);
  for (const bool scgi : {false, true}) {
    SCOPED_TRACE(scgi);
    const auto fastcgi_client = connect();
    const auto scgi_client = connect_scgi();
    const auto params = variables("POST", "/", {{"CONTENT_LENGTH", std::to_string(4 * kMiB)}});
    if (scgi) {
      scgi_client->head(params, 4 * kMiB);
    } else {
      fastcgi_client->begin(1, params);
    }
    const auto request = worker.next_request();
    ASSERT_TRUE(request);
    request->respond("too much", 403);
    const std::string body(4 * kMiB, 'c');
    if (scgi) {
      scgi_client->raw(body);
      ASSERT_TRUE(scgi_client->wait_closed());
      EXPECT_FALSE(scgi_client->failed());
      EXPECT_EQ(scgi_client->answer().status(), 403);
      EXPECT_EQ(scgi_client->answer().body(), "too much");
    } else {
      fastcgi_client->read(false);
      fastcgi_client->body(1, body);
      until([&] { return fastcgi_client->unsent() == 0; }, "the client to have written");
      fastcgi_client->read(true);
      ASSERT_TRUE(fastcgi_client->wait(1));
      EXPECT_EQ(fastcgi_client->answer(1).status(), 403);
      EXPECT_FALSE(fastcgi_client->failed());
    }
  }
}

TEST_F(Flow, ClientThatDoesNotReadBlocksItsOwnRequestOnly) {
  start();
  FakeWorker& worker = add_worker();
  const auto warm = connect();
  warm->get(1, "/", true);
  worker.next_request()->respond("ok");
  ASSERT_TRUE(warm->wait(1));
  const std::size_t before = bridge().resident();
  const auto client = connect();
  const auto big = big_answer(worker, *client, 50 * kMiB);
  ASSERT_TRUE(big);
  std::vector<std::unique_ptr<FrontClient>> others;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 20; ++i) {
      others.push_back(connect());
      others.back()->get(1, "/small");
    }
    for (int i = 0; i < 20; ++i) {
      const auto request = worker.next_request();
      ASSERT_TRUE(request);
      request->respond(std::string(10'000, 's'));
    }
    for (const auto& other : others) {
      ASSERT_TRUE(other->wait(1));
      EXPECT_EQ(other->answer(1).body().size(), 10'000u);
    }
    others.clear();
  }
  EXPECT_GT(big->pending.size(), 48 * kMiB);
  EXPECT_LT(bridge().resident(), before + 32 * kMiB);
  EXPECT_EQ(worker.links().size(), 1u);
  client->read(true);
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).body().size(), 50 * kMiB);
  EXPECT_LT(bridge().resident(), before + 32 * kMiB);
}

TEST_F(Flow, PlainWorkerIsNotReadWhileItsClientDoesNotRead) {
  start();
  FakeWorker& worker = add_worker(plain());
  const std::size_t before = bridge().resident();
  const auto client = connect();
  client->get(1, "/big");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  client->read(false);
  request->write("Status: 200\r\n\r\n" + std::string(50 * kMiB, 'x'));
  request->end();
  // Another app connection proves that the bridge has had its turns.
  for (int i = 0; i < 3; ++i) {
    const auto waits = connect();
    waits->get(1, "/");
    until([&] { return score().queued == 1; }, "a queued request");
    waits->close();
    until([&] { return score().queued == 0; }, "an empty queue");
  }
  EXPECT_LT(bridge().resident(), before + 32 * kMiB);
  client->read(true);
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).body().size(), 50 * kMiB);
}

// A response that ends while its client does not read it must not leave the kept connection unread.
TEST_F(Flow, KeptPlainConnectionIsReadAgainBehindAClientThatDidNotRead) {
  start();
  FakeWorker& worker = add_worker(plain());
  const auto slow = connect();
  slow->get(1, "/big");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  WorkerLink* const link = request->link;
  slow->read(false);
  // Fills the front's socket. What follows, its end included, the bridge finds at once.
  request->write("Status: 200\r\n\r\n" + std::string(150 * 1024, 'x'));
  until(
      [&] {
        int waiting = 0;
        return ::ioctl(slow->descriptor(), FIONREAD, &waiting) == 0 && waiting > 150 * 1024;
      },
      "what the front does not read");
  bridge().freeze();
  request->write(std::string(170 * 1024, 'y'));
  request->end();
  bridge().thaw();
  const auto client = connect();
  client->get(1, "/next");
  const auto next = worker.next_request();
  ASSERT_TRUE(next);
  ASSERT_EQ(next->link, link);
  next->respond("ok");
  ASSERT_TRUE(client->wait(1));
  EXPECT_EQ(client->answer(1).body(), "ok");
  slow->read(true);
  ASSERT_TRUE(slow->wait(1));
  EXPECT_EQ(slow->answer(1).body().size(), 320u * 1024);
}

TEST_F(Flow, UploadToAWorkerThatDoesNotReadIsHeldBack) {
  shop(settings).limits.body = 0;
  start();
  FakeWorker& worker = add_worker({.return_credit = false});
  const auto client = connect();
  client->begin(1, variables("POST", "/"));
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  const std::size_t before = bridge().resident();
  client->body(1, std::string(50 * kMiB, 'c'));
  until([&] { return request->body.size() == 64 * 1024; }, "a window's worth");
  for (int i = 0; i < 20; ++i) {
    const auto other = connect();
    other->get(1, "/");
    const auto small = worker.next_request();
    ASSERT_TRUE(small);
    small->respond("ok");
    ASSERT_TRUE(other->wait(1));
  }
  EXPECT_EQ(request->body.size(), 64u * 1024) << "never beyond the window";
  EXPECT_GT(client->unsent(), 45 * kMiB) << "the front is not read";
  EXPECT_LT(bridge().resident(), before + 32 * kMiB);
  EXPECT_FALSE(request->link->cheated());
}

TEST_F(Flow, UploadGoesOnWhenTheWorkerReadsAgain) {
  start();
  FakeWorker& worker = add_worker({.return_credit = false});
  const auto client = connect();
  const std::string body(kMiB, 'c');
  client->post(1, "/", body);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  while (!request->body_ended) {
    ASSERT_NO_FATAL_FAILURE(
        until([&] { return request->from_bridge.held() > 0 || request->body_ended; },
              "more of the body"));
    const std::uint32_t count = request->from_bridge.held();
    request->from_bridge.passed_on(count);
    if (const auto due = request->from_bridge.take_due()) {
      request->link->codec().credit(request->id, due);
      request->link->send();
    }
  }
  EXPECT_EQ(request->body.size(), body.size());
  EXPECT_FALSE(request->link->cheated());
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
}

TEST_F(Flow, WorkerThatExceedsTheWindowLosesItsLink) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->post(1, "/", "");
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  client->read(false);
  WorkerLink& link = *request->link;
  EXPECT_EQ(link.bridge_window(), 256u * 1024);
  const auto greedy = std::string("Status: 200\r\n\r\n") + std::string(4 * kMiB, 'x');
  link.codec().body(request->id, protocol::as_bytes(greedy));
  link.codec().output().settle();
  link.send();
  until([&] { return link.ended(); }, "the link closed");
  EXPECT_TRUE(bridge().wait_for_log("link to worker lost"));
  client->read(true);
  until([&] { return client->broken(); }, "a broken response");
}

TEST_F(Flow, WorkerThatNeverReadsIsNotGivenMoreThanABufferful) {
  start();
  FakeWorker& worker = add_worker({.max_reqs = 10'000});
  const std::size_t before = bridge().resident();
  worker.links().front()->read(false);
  std::vector<std::unique_ptr<FrontClient>> clients;
  const std::string large(30'000, 'v');
  for (int i = 0; i < 100; ++i) {
    clients.push_back(connect());
    clients.back()->begin(1, variables("GET", "/", {{"HTTP_LARGE", large}}));
    clients.back()->body_end(1);
  }
  until([&] { return score().active + score().queued == 100; }, "every request");
  EXPECT_GT(score().queued, 50) << "the rest waits where another worker could have it";
  EXPECT_LT(bridge().resident(), before + 32 * kMiB);
  FakeWorker& other = add_worker({.max_reqs = 10'000});
  until([&] { return score().queued == 0; }, "another worker to take them");
  for (const auto& request : other.requests) request->respond("ok");
  worker.links().front()->read(true);
  until([&] { return worker.requests.size() + other.requests.size() == 100; }, "all requests");
  for (const auto& request : worker.requests) request->respond("ok");
  for (const auto& request : other.requests) {
    if (request->link != nullptr) request->respond("ok");
  }
  for (const auto& client : clients) {
    ASSERT_TRUE(client->wait(1));
    EXPECT_EQ(client->answer(1).status(), 200);
  }
}

TEST_F(Flow, CreditForARequestThatHasEndedIsIgnored) {
  start();
  FakeWorker& worker = add_worker();
  const auto client = connect();
  client->get(1, "/", true);
  const auto request = worker.next_request();
  ASSERT_TRUE(request);
  WorkerLink& link = *request->link;
  const char id = static_cast<char>(request->id);
  request->respond("ok");
  ASSERT_TRUE(client->wait(1));
  const char credit[12] = {1, static_cast<char>(0x80), 0, id, 0, 4, 0, 0, 0, 0, 0, 9};
  link.raw(std::string(credit, sizeof(credit)));
  client->get(1, "/", true);
  const auto next = worker.next_request();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->link, &link) << "the same link";
  next->respond("ok");
  ASSERT_TRUE(client->wait(1));
}

TEST_F(Flow, MultiplexedFrontIsReadOnWhileOneBodyIsHeldBack) {
  start();
  FakeWorker& worker = add_worker({.return_credit = false});
  const auto client = connect();
  client->get(1, "/first", true);
  const auto first = worker.next_request();
  client->begin(2, variables("POST", "/upload", {{"CONTENT_LENGTH", std::to_string(2 * kMiB)}}),
                true);
  client->body(2, std::string(2 * kMiB, 'c'));
  client->body_end(2);
  client->get(3, "/behind", true);
  const auto upload = worker.next_request();
  const auto behind = worker.next_request();
  ASSERT_TRUE(behind);
  EXPECT_EQ(behind->param("REQUEST_URI"), "/behind");
  behind->respond("ok");
  ASSERT_TRUE(client->wait(3));
  EXPECT_EQ(upload->body.size(), 64u * 1024);
  first->respond("ok");
  upload->respond("enough");
  ASSERT_TRUE(client->wait(2));
  ASSERT_TRUE(client->wait(1));
}

TEST_F(Flow, FrontThatNeverReadsCannotPileUpAnswers) {
  settings.listeners[0].routes = {{.path = "/shop", .mount = false, .app = "shop"}};
  start();
  const std::size_t before = bridge().resident();
  const auto client = connect();
  client->read(false);
  for (int i = 0; i < 200'000; ++i) client->get(1, "/elsewhere", true);
  const auto watch = connect();
  // Each answer is a 404 of the bridge's own, longer than what asked for it is short.
  for (int i = 0; i < 200; ++i) {
    watch->get(1, "/elsewhere", true);
    ASSERT_TRUE(watch->wait(1));
    EXPECT_EQ(watch->answer(1).status(), 404);
  }
  EXPECT_GT(client->unsent(), 0u) << "the front is not read any more";
  EXPECT_LT(bridge().resident(), before + 32 * kMiB);
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
