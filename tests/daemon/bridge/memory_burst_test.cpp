// Everything at the same moment: the bridge is stopped while clients and workers fill their
// sockets, so that it finds all of them readable in one turn of each thread, as on a machine that
// is busy with something else.

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/daemon/bridge/memory_attack.hpp"

namespace viaduct::daemon::bridge::testing {
namespace {

class MemoryOfBursts : public Memory, public ::testing::WithParamInterface<std::uint32_t> {
 protected:
  void SetUp() override {
    shop(settings).timeouts = {.queue = {}, .request = {}, .stall = {}};
    begin(kLimit, 2000, GetParam());
    for (int i = 0; i < 3; ++i) others.push_back(&add_worker(options()));
  }

  static WorkerOptions options() { return {.max_reqs = 2000, .return_credit = false}; }

  // The bytes that `fill` writes arrive at one moment.
  template <class Fill>
  void burst(Fill fill) {
    bridge().freeze();
    fill();
    bridge().thaw();
  }

  void work(std::size_t answer) override {
    Memory::work(answer);
    for (FakeWorker* other : others) work_at(*other, answer);
  }

  // Requests too large for what is free, so that they lie behind everything before them and the
  // heap cannot shrink at its end. All of them together are a sixty-fourth of the limit, so that
  // none is refused.
  void keep_some() {
    for (std::size_t i = 0; i < kLimit / (4 * kMiB); ++i) {
      kept.push_back(connect());
      kept.back()->begin(1, variables("POST", kKept, {{"HTTP_LONG", std::string(60'000, 'l')}}));
    }
    until([&] { return requests_at_workers() >= kept.size(); }, "the requests to be kept");
  }

  [[nodiscard]] std::size_t requests_at_workers() const {
    std::size_t sum = worker->requests.size();
    for (const FakeWorker* other : others) sum += other->requests.size();
    return sum;
  }

  // Heads in small pieces, none of which is given up: what comes after them lies behind them.
  void heads() {
    burst([&] {
      for (std::size_t sent = 0; sent + 5'000'000 < 5 * kLimit / 8; sent += 5'000'000) {
        add(fastcgi, incomplete_head(fastcgi, 50'000));
      }
    });
    run();
    until([&] { return heads_are_taken(); }, "the heads to be taken");
  }

  // Whether the bridge has received everything, but for those that it gave up.
  bool heads_are_taken() {
    return std::all_of(attackers.begin(), attackers.end(), [](const auto& client) {
      int unread = 0;
      return hung_up(*client) ||
             (::ioctl(client->descriptor(), SIOCOUTQ, &unread) == 0 && unread == 0);
    });
  }

  // Responses that nobody reads: a large buffer for each connection.
  void responses() {
    constexpr std::size_t kResponse = 240 * 1024;
    constexpr unsigned kRequests = 100;
    std::string bytes;
    for (unsigned id = 1; id <= kRequests; ++id) {
      bytes += test::request(id, {{"REQUEST_METHOD", "GET"}, {"REQUEST_URI", "/large"}});
    }
    burst([&] {
      for (std::size_t asked = 0; asked < 2 * kLimit; asked += kRequests * kResponse) {
        add(fastcgi, bytes, false);
      }
    });
    // In turns, so that what the workers write meets a bridge that has slept meanwhile.
    until(
        [&] {
          burst([&] { work(kResponse); });
          return std::any_of(attackers.begin(), attackers.end(),
                             [](const auto& client) { return hung_up(*client); });
        },
        "one of them to be given up");
  }

  // Whether the bridge has closed the connection, read or not.
  static bool hung_up(const ByteClient& client) {
    pollfd socket{.fd = client.descriptor(), .events = 0, .revents = 0};
    return client.descriptor() < 0 || (::poll(&socket, 1, 0) == 1 && socket.revents != 0);
  }

  void expect_bound(const char* name) {
    const std::size_t peak = bridge().peak_resident();
    RecordProperty(name, static_cast<int>(peak / kMiB));
    if (kMeasured) {
      EXPECT_LE(peak, bound()) << name;
    }
  }

  std::vector<FakeWorker*> others;
  std::vector<std::unique_ptr<FrontClient>> kept;
};

INSTANTIATE_TEST_SUITE_P(Threads, MemoryOfBursts, ::testing::Values(1, 2, 4));

// Memory that small pieces have left free is of no use to large ones.
TEST_P(MemoryOfBursts, LargeBuffersAfterManySmallPieces) {
  for (int round = 0; round < 2; ++round) {
    heads();
    keep_some();
    expect_bound("heads");
    attackers.clear();
    until([&] { return bridge().scores().connections == static_cast<std::int64_t>(kept.size()); },
          "the heads to be freed");
    RecordProperty("freed", static_cast<int>(bridge().resident() / kMiB));
    responses();
    expect_bound("responses");
    attackers.clear();
    kept.clear();
    until([&] { return ask() == 200; }, "others to be served again");
  }
  expect_an_attack();
}

// A few bytes for each request, received at once: each head is then copied to twice the room.
TEST_P(MemoryOfBursts, HeadsThatGrowAtTheSameMoment) {
  // Below the limit from which on heads are given up, held by few connections.
  constexpr unsigned kRequests = 900;
  constexpr std::size_t kHead = 17'000;
  std::string heads;
  std::string more;
  for (unsigned id = 1; id <= kRequests; ++id) {
    heads += test::begin_record(id) +
             test::record(FCGI_PARAMS, id,
                          "\x01" + test::long_length(60'000) + "A" + std::string(kHead, 'x'));
    more += test::record(FCGI_PARAMS, id, "x");
  }
  for (std::size_t sent = heads.size(); sent < 7 * kLimit / 8; sent += heads.size()) {
    add(fastcgi, heads);
  }
  run();
  until([&] { return heads_are_taken(); }, "the heads to be taken");
  EXPECT_FALSE(std::any_of(attackers.begin(), attackers.end(),
                           [](const auto& client) { return hung_up(*client); }));
  burst([&] {
    for (const auto& attacker : attackers) attacker->raw(more);
  });
  run();
  until([&] { return heads_are_taken(); }, "the rest to be taken");
  expect_bound("doubled");
  expect_an_attack();
  attackers.clear();
  until([&] { return ask() == 200; }, "others to be served again");
}

// Pieces that do not fit where smaller ones were freed: some of each size stay, between them.
TEST_P(MemoryOfBursts, SmallPiecesOfGrowingSizes) {
  for (std::size_t size = 10'000; size < 60'000; size += 12'500) {
    // A bridge that is stopped accepts nobody.
    const std::size_t first = attackers.size();
    for (std::size_t sent = 0; sent < 2 * kLimit; sent += 100 * size) add(fastcgi, "");
    burst([&] {
      const std::string head = incomplete_head(fastcgi, size);
      for (std::size_t i = first; i < attackers.size(); ++i) attackers[i]->raw(head);
    });
    run();
    expect_bound("heads");
    std::size_t number = 0;
    std::erase_if(attackers,
                  [&](const auto& client) { return hung_up(*client) || number++ % 4 != 0; });
  }
  attackers.clear();
  until([&] { return ask() == 200; }, "others to be served again");
}

}  // namespace
}  // namespace viaduct::daemon::bridge::testing
