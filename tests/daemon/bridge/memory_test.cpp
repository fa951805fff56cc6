// Clients that make the bridge hold as much as they can, in every way there is: it never takes more
// memory than it says, gives up those that hold most, and serves the others again.

#include <algorithm>
#include <chrono>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "tests/daemon/bridge/memory_attack.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

TEST_F(Memory, IncompleteHeadsOfEveryProtocol) {
  begin();
  constexpr std::size_t kHead = 50'000;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t sent = 0; sent < 2 * kLimit; sent += 103 * kHead) {
      for (const auto listener : {fastcgi, scgi, uwsgi, http}) {
        add(listener, incomplete_head(listener, kHead));
      }
    }
    run();
    // The log says so once a second at most.
    until(
        [&] {
          return std::any_of(attackers.begin(), attackers.end(), [](const auto& client) {
            return client->closed() || client->failed();
          });
        },
        "one of them to be given up");
    end_wave("heads");
  }
  EXPECT_GT(bridge().log_count(kShort), 0u);
  expect_an_attack();
}

TEST_F(Memory, ResponsesThatNobodyReads) {
  begin();
  constexpr std::size_t kResponse = 240 * 1024;  // what a window lets the worker send
  constexpr unsigned kRequests = 50;
  std::string requests;
  for (unsigned id = 1; id <= kRequests; ++id) {
    requests += test::request(id, {{"REQUEST_METHOD", "GET"}, {"REQUEST_URI", "/large"}});
  }
  for (std::size_t asked = 0; asked < 2 * kLimit; asked += kRequests * kResponse) {
    add(fastcgi, requests, false);
  }
  run(kResponse);
  // Responses are under way for as long as there is credit for them.
  until(
      [&] {
        work(kResponse);
        return bridge().log_count(kShort) > 0 || bridge().log_count("limits.memory is reached") > 0;
      },
      "the limit");
  end_wave("responses");
  expect_an_attack();
}

TEST_F(Memory, BodiesThatNoWorkerTakes) {
  // Those that are gathered go to files.
  settings.apps.front().buffer_requests = config::Buffering::never;
  begin();
  const std::string head =
      encode(scgi, {{"CONTENT_LENGTH", "10000000"}, {"REQUEST_METHOD", "POST"}});
  const std::string body(200'000, 'b');
  for (std::size_t sent = 0; sent < 3 * kLimit / 2; sent += body.size()) add(scgi, head + body);
  until(
      [&] {
        work(0);
        return bridge().log_count("limits.memory is reached") > 0;
      },
      "a request to be refused");
  end_wave("bodies");
}

// What one thread gave back to its part of the heap is no use to the other.
TEST_F(Memory, OneKindOfAttackAfterTheOther) {
  begin();
  for (int round = 0; round < 3; ++round) {
    for (std::size_t sent = 0; sent < kLimit; sent += 5'000'000) {
      add(fastcgi, incomplete_head(fastcgi, 50'000));
    }
    run();
    end_wave("heads");
    std::string requests;
    for (unsigned id = 1; id <= 20; ++id) {
      requests += test::request(id, {{"REQUEST_METHOD", "GET"}, {"REQUEST_URI", "/large"}});
    }
    for (std::size_t asked = 0; asked < kLimit; asked += 20 * 240'000) {
      add(fastcgi, requests, false);
    }
    run(240'000);
    end_wave("responses");
  }
}

// As long as the limit is not reached nobody is given up at once; but who does not read at all must
// not keep the others out for ever.
TEST_F(Memory, ClientThatReadsNothingIsGivenUpInTime) {
  settings.unread = std::chrono::seconds(5);
  // One client's response may take half a MiB at once, before it is looked at what there is.
  begin(8 * kMiB);
  const auto reached = [&] { return bridge().log_count("limits.memory is reached") > 0; };
  while (!reached() && !HasFailure()) {
    const std::size_t before = seen;
    add(fastcgi, test::request(1, {{"REQUEST_METHOD", "GET"}, {"REQUEST_URI", "/"}}), false);
    until(
        [&] {
          work(512 * 1024);
          const auto links = worker->links();
          return reached() ||
                 (seen > before && std::all_of(links.begin(), links.end(),
                                               [](auto* link) { return link->taken(); }));
        },
        "the bridge to take a response");
  }
  EXPECT_EQ(bridge().log_count(kShort), 0u);
  until([&] { return ask() == 200; }, "others to be served again");
  EXPECT_GT(bridge().log_count(kShort), 0u);
}

// Requests that hold most, each at its own stage: queued, with a worker, and with a response begun.
struct At {
  const char* name;
  std::uint32_t at_once;  // requests that the worker takes
  bool answering;
};

void PrintTo(const At& at, std::ostream* to) {
  *to << at.name;
}

class MemoryOfRequests : public Memory, public ::testing::WithParamInterface<At> {};

INSTANTIATE_TEST_SUITE_P(Stages, MemoryOfRequests,
                         ::testing::Values(At{"queued", 1, false}, At{"working", 2000, false},
                                           At{"answering", 2000, true}),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(MemoryOfRequests, ThoseThatHoldMostAreGivenUp) {
  shop(settings).timeouts = {.queue = {}, .request = {}, .stall = {}};
  begin(8 * kMiB, GetParam().at_once);
  constexpr std::size_t kClients = 120;
  const std::string head = encode(scgi, {{"CONTENT_LENGTH", "10000000"},
                                         {"REQUEST_METHOD", "POST"},
                                         {"REQUEST_URI", "/up"},
                                         {"HTTP_LONG", std::string(10'000, 'l')}});
  for (std::size_t i = 0; i < kClients; ++i) add(scgi, head);
  const std::size_t taken = std::min<std::size_t>(kClients, GetParam().at_once);
  until([&] { return worker->requests.size() == taken; }, "the requests");
  until([&] { return score().active + score().queued == kClients; }, "all to be there");
  if (GetParam().answering) {
    for (const auto& request : worker->requests) request->write("Status: 200\r\n\r\npart");
    for (const auto& client : attackers) ASSERT_TRUE(client->wait_for("part"));
  }
  for (const auto& client : attackers) client->raw(std::string(200'000, 'b'));
  const auto given_up = [&] {
    return std::count_if(attackers.begin(), attackers.end(), [](const auto& client) {
      if (!GetParam().answering) return status(*client) == 503;
      return client->closed() || client->failed();
    });
  };
  until([&] { return bridge().log_count(kShort) > 0 && given_up() > 0; }, "some to be given up");
  EXPECT_LT(given_up(), static_cast<std::ptrdiff_t>(kClients)) << "no more than need be";
  for (const auto& client : attackers) {
    if (client->received().empty()) continue;
    EXPECT_EQ(status(*client), GetParam().answering ? 200 : 503);
  }
  if (taken > 1) {
    const auto aborted = [](const auto& request) { return request->aborted; };
    until([&] { return std::any_of(worker->requests.begin(), worker->requests.end(), aborted); },
          "the worker to hear of it");
  }
  // What the bridge has forgotten of them it does not need when the worker dies, either.
  attackers.clear();
  kill_worker(*worker);
  worker = &add_worker();
  until([&] { return ask() == 200; }, "others to be served again");
}

// Held back on purpose: connections that have done nothing wrong outlive the attack.
TEST_F(Memory, WhoHoldsLittleIsNotGivenUp) {
  begin();
  const auto upload = connect();
  upload->begin(1, variables("POST", "/upload"));
  upload->body(1, "little");
  until([&] { return worker->has_request(); }, "the request");
  const auto request = worker->next_request();
  for (std::size_t sent = 0; sent < 2 * kLimit; sent += 5'000'000) {
    add(fastcgi, incomplete_head(fastcgi, 50'000));
  }
  run();
  ASSERT_TRUE(bridge().wait_for_log(kShort));
  upload->body_end(1);
  until([&] { return request->body_ended; }, "its body");
  request->respond("done");
  ASSERT_TRUE(upload->wait(1));
  EXPECT_EQ(upload->answer(1).body(), "done");
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
