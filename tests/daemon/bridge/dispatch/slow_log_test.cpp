#include "daemon/bridge/dispatch/slow_log.hpp"

#include <unistd.h>

#include <array>

#include <gtest/gtest.h>

#include "daemon/bridge/link/worker.hpp"

namespace viaduct::daemon::bridge {
namespace {

class SlowLogTest : public ::testing::Test {
 protected:
  SlowLogTest() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw std::runtime_error("pipe");
    in_ = ends[0];
    log_ = std::make_unique<log::Log>(log::Settings{.descriptor = ends[1]});
  }
  ~SlowLogTest() override { ::close(in_); }

  std::string read() {
    std::string text(64 * 1024, '\0');
    const ssize_t size = ::read(in_, text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text.substr(text.find("warning"));
  }
  [[nodiscard]] const log::Log& log() const { return *log_; }

 private:
  int in_ = -1;
  std::unique_ptr<log::Log> log_;
};

TEST_F(SlowLogTest, OneLinePerRequest) {
  SlowLog slow(log(), "shop");
  WorkerInfo worker;
  worker.pid = 12;
  worker.slot = 3;
  protocol::Pairs params;
  params.add("REQUEST_METHOD", "GET");
  params.add("REQUEST_URI", "/" + std::string(5000, 'x'));
  params.add("HTTP_X_REQUEST_ID", "77");
  slow.write({.what = "slow request",
              .worker = &worker,
              .params = params,
              .elapsed = std::chrono::milliseconds(1500),
              .trace = "a\nb\n"});
  EXPECT_EQ(read(), "warning slow request app=shop worker=shop/3 pid=12 id=77 method=GET target=/" +
                        std::string(SlowLog::kTarget - 1, 'x') +
                        " elapsed_ms=1500 suppressed=0 trace=\"a | b\"\n");
}

TEST_F(SlowLogTest, RateIsLimited) {
  SlowLog slow(log(), "shop");
  const auto now = Clock::now();
  for (std::uint32_t i = 0; i < SlowLog::kRecords; ++i) EXPECT_TRUE(slow.admit(now)) << i;
  EXPECT_FALSE(slow.admit(now));
  EXPECT_FALSE(slow.admit(now + SlowLog::kInterval - std::chrono::milliseconds(1)));
  EXPECT_TRUE(slow.admit(now + SlowLog::kInterval));
  const protocol::Pairs params;
  slow.write({.what = "slow request", .worker = nullptr, .params = params, .trace = {}});
  EXPECT_EQ(read(),
            "warning slow request app=shop worker=\"\" pid=0 id=- method=- target=- "
            "elapsed_ms=0 suppressed=2 trace=\"(waiting for a worker)\"\n");
}

TEST(RequestIdOf, IsTheFrontServers) {
  protocol::Pairs params;
  EXPECT_EQ(request_id_of(params), "-");
  params.add("HTTP_X_REQUEST_ID", "header");
  EXPECT_EQ(request_id_of(params), "header");
  params.add("REQUEST_ID", "variable");
  EXPECT_EQ(request_id_of(params), "variable");
}

}  // namespace
}  // namespace viaduct::daemon::bridge
