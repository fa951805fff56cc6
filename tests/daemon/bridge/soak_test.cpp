// Everything at once, in an order drawn from a fixed seed: fronts that come, leave, abort and stop
// reading; workers that answer, refuse, break off, talk nonsense and die. Whatever happens, the
// bridge survives, and when it is over nothing is left in it.

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include <gtest/gtest.h>

#include "tests/daemon/bridge/bridge_fixture.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

struct Mix {
  const char* name;
  unsigned seed;
  std::uint32_t threads;
  bool multiplexing;
  bool plain;
};

class Soak : public BridgeTest, public ::testing::WithParamInterface<Mix> {
 protected:
  using Step = void (Soak::*)();

  std::size_t pick(std::size_t count) { return random_() % count; }
  bool chance(unsigned percent) { return pick(100) < percent; }

  void add_any_worker() {
    const bool is_plain = GetParam().plain && (!GetParam().multiplexing || chance(50));
    workers_.push_back(&add_worker(is_plain ? plain(static_cast<std::uint32_t>(1 + pick(3)))
                                            : WorkerOptions{.max_reqs = 8}));
  }

  // ---- fronts

  void come() {
    if (clients_.size() > 40) return leave();
    clients_.push_back(connect());
    ask(*clients_.back(), 1, chance(50));
  }
  void ask_again() {
    if (clients_.empty()) return;
    const auto id = static_cast<protocol::RequestId>(1 + pick(4));
    FrontClient& client = *clients_[pick(clients_.size())];
    const bool fresh = client.answer(id).ended || used_.insert({&client, id}).second;
    if (!client.closed() && !client.broken() && fresh) ask(client, id, true);
  }
  void ask(FrontClient& client, protocol::RequestId id, bool keep) {
    used_.insert({&client, id});
    if (chance(50)) return client.get(id, "/", keep);
    const std::size_t size = pick(3) == 0 ? pick(400'000) : pick(5'000);
    const char* const method = chance(50) ? "POST" : "PUT";
    if (chance(70)) {
      client.begin(id, variables(method, "/", {{"CONTENT_LENGTH", std::to_string(size)}}), keep);
    } else {
      client.begin(id, variables(method, "/"), keep);
    }
    client.body(id, std::string(size, 'b'));
    if (chance(90)) client.body_end(id);
  }
  void leave() {
    if (clients_.empty()) return;
    const std::size_t which = pick(clients_.size());
    std::erase_if(used_, [&](const auto& use) { return use.first == clients_[which].get(); });
    clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(which));
  }
  void abort() {
    if (!clients_.empty()) clients_[pick(clients_.size())]->abort(1);
  }
  void stop_or_go_on_reading() {
    if (!clients_.empty()) clients_[pick(clients_.size())]->read(chance(50));
  }
  void send_nonsense() {
    if (!clients_.empty()) clients_[pick(clients_.size())]->raw("\x01nonsense that is no record");
  }

  // ---- workers

  std::shared_ptr<WorkerRequest> any_request() {
    std::vector<std::shared_ptr<WorkerRequest>> open;
    for (const FakeWorker* worker : workers_) {
      for (const auto& request : worker->requests) {
        if (request->link != nullptr && !request->end_status) open.push_back(request);
      }
    }
    return open.empty() ? nullptr : open[pick(open.size())];
  }
  // What the workers still have, for the report of a failure.
  std::string open_requests() {
    std::string text;
    for (const FakeWorker* worker : workers_) {
      text += "worker " + std::to_string(worker->serial) +
              (worker->options().multiplex ? " sdk" : " plain") + " links " +
              std::to_string(worker->links().size());
      for (const auto& request : worker->requests) {
        if (request->link == nullptr) continue;
        text += " [id " + std::to_string(request->id) + (request->aborted ? " aborted" : "") +
                (request->end_status ? " ended" : "") + " pending " +
                std::to_string(request->pending.size()) + "]";
      }
      text += "\n";
    }
    return text;
  }
  std::shared_ptr<WorkerRequest> request_for(std::string_view uri) {
    for (const FakeWorker* worker : workers_) {
      for (const auto& request : worker->requests) {
        if (request->link != nullptr && request->param("REQUEST_URI") == uri) return request;
      }
    }
    return nullptr;
  }
  void respond() {
    if (const auto request = any_request()) {
      if (chance(80) && request->pending.empty())
        request->respond(std::string(pick(3000), 'r'));
      else
        request->end(chance(20) ? 1 : 0);
    }
  }
  void write_much() {
    if (const auto request = any_request()) {
      request->write("Status: 200\r\n\r\n" + std::string(pick(600'000), 'w'));
    }
  }
  void write_errors() {
    if (const auto request = any_request()) request->errors("something\nis wrong\n");
  }
  void overload() {
    const auto request = any_request();
    if (request && request->pending.empty() && request->link->bridge_window() != 0) {
      request->overloaded();
    }
  }
  void break_off() {
    if (const auto request = any_request()) request->link->close();
  }
  void talk_nonsense() {
    if (const auto request = any_request()) request->link->raw("\x02 is no version");
  }
  void die() {
    if (workers_.empty()) return;
    const std::size_t which = pick(workers_.size());
    kill_worker(*workers_[which]);
    workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(which));
    add_any_worker();
  }
  void turn() {
    for (int i = 0; i < 5; ++i) stage.serve();
  }

  // Every kind of step as often as it stands here.
  static constexpr Step kSteps[] = {
      &Soak::come,      &Soak::come,         &Soak::come,          &Soak::come,
      &Soak::ask_again, &Soak::ask_again,    &Soak::ask_again,     &Soak::leave,
      &Soak::abort,     &Soak::respond,      &Soak::respond,       &Soak::respond,
      &Soak::respond,   &Soak::respond,      &Soak::write_much,    &Soak::write_much,
      &Soak::overload,  &Soak::write_errors, &Soak::break_off,     &Soak::stop_or_go_on_reading,
      &Soak::turn,      &Soak::turn,         &Soak::talk_nonsense, &Soak::send_nonsense,
      &Soak::die};

  std::mt19937 random_{GetParam().seed};
  std::vector<FakeWorker*> workers_;
  std::vector<std::unique_ptr<FrontClient>> clients_;
  std::set<std::pair<FrontClient*, protocol::RequestId>> used_;
};

INSTANTIATE_TEST_SUITE_P(Mixes, Soak,
                         ::testing::Values(Mix{"Sdk", 1, 1, true, false},
                                           Mix{"Plain", 2, 1, false, true},
                                           Mix{"Both", 3, 1, true, true},
                                           Mix{"BothOnTwoThreads", 4, 2, true, true}),
                         [](const auto& test) { return test.param.name; });

TEST_P(Soak, NothingIsLeftWhenItIsOver) {
  settings.threads = GetParam().threads;
  settings.log.level = config::LogLevel::warn;
  shop(settings).timeouts.queue = std::chrono::seconds(2);
  start();
  for (int i = 0; i < 3; ++i) add_any_worker();
  for (int step = 0; step < 1500; ++step) {
    (this->*kSteps[pick(std::size(kSteps))])();
    stage.serve();
    ASSERT_FALSE(HasFatalFailure());
  }
  clients_.clear();
  for (FakeWorker* worker : workers_) {
    for (const auto& link : worker->all_links) EXPECT_FALSE(link->cheated());
  }
  stage.run_until([&] {
    for (const FakeWorker* worker : workers_) {
      for (const auto& request : worker->requests) {
        if (request->link != nullptr && !request->end_status) request->end();
      }
    }
    return score().active == 0 && score().queued == 0 && bridge().scores().connections == 0;
  });
  EXPECT_EQ(score().active, 0) << open_requests();
  ASSERT_EQ(score().queued, 0);
  ASSERT_EQ(bridge().scores().connections, 0);
  const auto last = connect();
  last->get(1, "/last");
  std::shared_ptr<WorkerRequest> request;
  until([&] { return (request = request_for("/last")) != nullptr; }, "the last request");
  request->respond("still here");
  ASSERT_TRUE(last->wait(1));
  EXPECT_EQ(last->answer(1).body(), "still here");
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
