#include "tests/bench/load.hpp"

#include <fastcgi.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/bench/connection.hpp"

namespace viaduct::bench {
namespace {

using namespace std::chrono_literals;

std::string record(int type, unsigned id, std::string_view content) {
  std::string out;
  for (const std::size_t byte : {std::size_t{FCGI_VERSION_1}, static_cast<std::size_t>(type),
                                 std::size_t{id >> 8}, std::size_t{id & 0xff}, content.size() >> 8,
                                 content.size() & 0xff, std::size_t{0}, std::size_t{0}}) {
    out.push_back(static_cast<char>(byte));
  }
  return out.append(content);
}

std::string answer(unsigned id) {
  return record(FCGI_STDOUT, id, "A: b\r\n\r\nhello") +
         record(FCGI_END_REQUEST, id, std::string(8, '\0'));
}

/// A FastCGI application that serves one connection after the other in a thread. For the requests
/// that one receive completed it sends what `reply` returns; an empty reply closes the connection.
class FakeApp {
 public:
  using Reply = std::function<std::string(std::vector<unsigned> ids)>;

  explicit FakeApp(Reply reply)
      : reply_(std::move(reply)), listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // An address without a name makes the kernel choose a free abstract one.
    socklen_t length = sizeof(sa_family_t);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), generic, length), 0);
    length = sizeof address;
    EXPECT_EQ(::getsockname(listener_.get(), generic, &length), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    path_.assign(address.sun_path, length - offsetof(sockaddr_un, sun_path));
    path_.front() = '@';
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeApp() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int accepted() const { return accepted_; }

 private:
  void serve() {
    while (true) {
      const Descriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (client.get() < 0) return;
      ++accepted_;
      while (serve_once(client.get())) {
      }
      input_.clear();
    }
  }

  bool serve_once(int client) {
    std::array<char, 64 * 1024> buffer;
    const ssize_t got = ::recv(client, buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    input_.append(buffer.data(), static_cast<std::size_t>(got));
    std::vector<unsigned> ids = take_complete();
    if (ids.empty()) return true;
    const std::string bytes = reply_(std::move(ids));
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n = ::send(client, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
    return !bytes.empty();
  }

  std::vector<unsigned> take_complete() {
    std::vector<unsigned> ids;
    std::size_t at = 0;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(input_[at + i]); };
    while (input_.size() - at >= FCGI_HEADER_LEN) {
      const std::size_t content = static_cast<std::size_t>(byte(4)) << 8 | byte(5);
      const std::size_t whole = FCGI_HEADER_LEN + content + byte(6);
      if (input_.size() - at < whole) break;
      if (byte(1) == FCGI_STDIN && content == 0) {
        ids.push_back(static_cast<unsigned>(byte(2)) << 8 | byte(3));
      }
      at += whole;
    }
    input_.erase(0, at);
    return ids;
  }

  Reply reply_;
  Descriptor listener_;
  std::string path_;
  std::string input_;
  std::atomic<int> accepted_ = 0;
  std::thread thread_;
};

LoadPlan plan_for(const FakeApp& app, std::uint16_t requests_each) {
  LoadPlan plan;
  plan.path = app.path();
  plan.connections = 1;
  plan.requests_each = requests_each;
  plan.body = "hello";
  plan.duration = 100ms;
  plan.timeout = 10s;
  return plan;
}

std::string answer_all(const std::vector<unsigned>& ids) {
  std::string out;
  for (const unsigned id : ids) out += answer(id);
  return out;
}

TEST(Load, MultiplexedRequestsShareAWriteAndMayBeAnsweredInAnyOrder) {
  std::vector<std::size_t> batches;
  LoadResult result;
  {
    FakeApp app([&](std::vector<unsigned> ids) {
      batches.push_back(ids.size());
      std::reverse(ids.begin(), ids.end());
      return answer_all(ids);
    });
    result = run_load(plan_for(app, 8));
  }
  EXPECT_EQ(result.failures, 0U);
  EXPECT_GE(result.answers, result.latency.count());
  EXPECT_GT(result.latency.count(), 8U);
  ASSERT_FALSE(batches.empty());
  EXPECT_EQ(batches.front(), 8U);
}

TEST(Load, MoreRequestsThanTheSocketTakesAreAllAnswered) {
  FakeApp app(answer_all);
  const LoadResult result = run_load(plan_for(app, 5000));
  EXPECT_EQ(result.failures, 0U) << result.first_failure;
  EXPECT_GE(result.answers, 5000U);
}

TEST(Load, WarmUpIsNotMeasured) {
  FakeApp app(answer_all);
  LoadPlan plan = plan_for(app, 1);
  plan.warmup = 100ms;
  const LoadResult result = run_load(plan);
  EXPECT_EQ(result.measured, 100ms);
  EXPECT_GT(result.latency.count(), 0U);
  EXPECT_GT(result.answers, result.latency.count());
}

TEST(Load, ClosedConnectionFailsWhatItCarriedAndIsOpenedAgain) {
  bool first = true;
  FakeApp app([&](const std::vector<unsigned>& ids) {
    return std::exchange(first, false) ? std::string() : answer_all(ids);
  });
  const LoadResult result = run_load(plan_for(app, 4));
  EXPECT_EQ(result.failures, 4U);
  EXPECT_EQ(result.first_failure, "connection closed before the answer");
  EXPECT_GT(result.answers, 0U);
  EXPECT_EQ(app.accepted(), 2);
}

TEST(Load, AnswerToARequestNotInFlightIsAFailure) {
  bool first = true;
  FakeApp app([&](const std::vector<unsigned>& ids) {
    return answer_all(ids) + (std::exchange(first, false) ? answer(ids.front()) : "");
  });
  const LoadResult result = run_load(plan_for(app, 1));
  EXPECT_EQ(result.failures, 1U);
  EXPECT_EQ(result.first_failure, "not a FastCGI application's records");
}

TEST(Load, UnansweredRequestFailsAfterTheOthersHaveEnded) {
  FakeApp app([](std::vector<unsigned> ids) {
    std::erase(ids, 3U);
    // An empty reply would close; an empty FCGI_STDOUT record says nothing.
    return answer_all(ids) + record(FCGI_STDOUT, 1, "");
  });
  LoadPlan plan = plan_for(app, 3);
  plan.timeout = 200ms;
  const LoadResult result = run_load(plan);
  EXPECT_EQ(result.failures, 1U);
  EXPECT_EQ(result.first_failure, "no answer within the timeout");
  EXPECT_GT(result.answers, 2U);
}

TEST(Load, NobodyListeningThrows) {
  LoadPlan plan;
  plan.path = "@viaduct-bench-nobody-listens-here";
  EXPECT_THROW(run_load(plan), std::system_error);
  plan.path = std::string(200, 'x');
  EXPECT_THROW(run_load(plan), std::system_error);
}

}  // namespace
}  // namespace viaduct::bench
