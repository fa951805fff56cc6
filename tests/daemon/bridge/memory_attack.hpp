#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "daemon/config/memory_policy.hpp"
#include "tests/daemon/bridge/attack.hpp"
#include "tests/support/sanitizers.hpp"

namespace viaduct::daemon::bridge::testing {

inline constexpr std::size_t kMiB = 1024 * 1024;
// Sanitizers have memory of their own, and take it slowly.
inline constexpr bool kMeasured = !test::kAddressSanitizer && !test::kThreadSanitizer;
inline constexpr std::size_t kLimit = (kMeasured ? 64 : 8) * kMiB;
// Requests for it get no answer.
inline constexpr const char* kKept = "/kept";
inline constexpr const char* kShort = "memory is short: those that hold most of it are given up";

class Memory : public AttackTest {
 protected:
  void begin(std::size_t limit = kLimit, std::uint32_t at_once = 2000, std::uint32_t threads = 2) {
    settings.threads = threads;
    settings.limits.memory = limit;
    settings.limits.connections = 1000;
    shop(settings).limits.queue = 10'000;
    start();
    worker = &add_worker({.max_reqs = at_once, .return_credit = false});
  }

  void TearDown() override {
    attackers.clear();
    AttackTest::TearDown();
  }

  [[nodiscard]] std::size_t bound() const {
    return config::memory_bound(settings.limits, settings.threads,
                                settings.apps.front().limits.params);
  }

  void add(Listener listener, std::string_view bytes, bool reads = true) {
    attackers.push_back(attack(listener, bytes));
    attackers.back()->read(reads);
  }

  // Answers each request with so many bytes, and takes note of those that are aborted.
  virtual void work(std::size_t answer) { seen += work_at(*worker, answer); }

  static std::size_t work_at(FakeWorker& at, std::size_t answer) {
    std::size_t count = 0;
    for (; at.has_request(); ++count) {
      const auto request = at.next_request();
      if (answer != 0 && request->param("REQUEST_URI") != kKept) {
        request->respond(std::string(answer, 'x'));
      }
    }
    for (const auto& request : at.requests) {
      if (request->link != nullptr && request->aborted) request->end();
    }
    return count;
  }

  // Until all attackers have said everything, or are closed.
  void run(std::size_t answer = 0) {
    until(
        [&] {
          work(answer);
          return std::all_of(attackers.begin(), attackers.end(), [](const auto& client) {
            return client->closed() || client->failed() || client->unsent() == 0;
          });
        },
        "the attack");
  }

  int ask() {
    const auto client = connect();
    client->get(1, "/sound");
    until(
        [&] {
          work(5);
          return client->answer(1).ended || client->closed();
        },
        "an answer");
    return client->answer(1).status();
  }

  void end_wave(const char* name) {
    SCOPED_TRACE(name);
    const std::size_t peak = bridge().peak_resident();
    RecordProperty(name, static_cast<int>(peak / kMiB));
    if (kMeasured) {
      EXPECT_LE(peak, bound());
    }
    attackers.clear();
    until([&] { return ask() == 200; }, "others to be served again");
  }

  void expect_an_attack() {
    if (kMeasured) {
      EXPECT_GE(bridge().peak_resident(), bound() / 2);
    }
  }

  FakeWorker* worker = nullptr;
  std::vector<std::unique_ptr<ByteClient>> attackers;
  std::size_t seen = 0;
};

// A request head of about that many bytes, and not its end.
inline std::string incomplete_head(Listener listener, std::size_t size) {
  const std::string text(size, 'x');
  switch (listener) {
    case scgi:
      return std::to_string(size + 1000) + ":CONTENT_LENGTH" +
             std::string(
                 "\0"
                 "0\0A\0",
                 5) +
             text;
    case uwsgi:
      return std::string("\0\xff\xff\0\x01\0A\xf0\xff", 9) + text;
    case http:
      return "GET / HTTP/1.1\r\nHost: h\r\nX: " + text;
    case fastcgi:
      break;
  }
  // The same for many requests at the same time.
  std::string bytes;
  for (unsigned id = 1; id <= 100; ++id) {
    bytes += test::begin_record(id) +
             test::record(FCGI_PARAMS, id, "\x01" + test::long_length(60'000) + "A" + text);
  }
  return bytes;
}

}  // namespace viaduct::daemon::bridge::testing
