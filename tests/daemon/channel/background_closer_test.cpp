#include "daemon/channel/background_closer.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include <gtest/gtest.h>

#include "daemon/channel/hand_over.hpp"
#include "daemon/channel/packet.hpp"
#include "tests/daemon/channel/lingering_socket.hpp"

namespace viaduct::daemon::channel {
namespace {

constexpr int kLinger = 20;  // seconds
constexpr int kPatienceMs = 60'000;

bool ended(int socket) {
  pollfd wait{socket, POLLIN, 0};
  return ::poll(&wait, 1, kPatienceMs) == 1 && (wait.revents & POLLHUP) != 0;
}

std::chrono::seconds since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start);
}

TEST(BackgroundCloserTest, DescriptorsAreClosed) {
  BackgroundCloser closer;
  for (int i = 0; i < 3; ++i) {
    const Pair pair = make_pair();
    const UniqueFd ours(pair.first);
    closer.close(UniqueFd(pair.second));
    EXPECT_TRUE(ended(ours.get())) << i;
  }
  closer.close(UniqueFd());
}

TEST(BackgroundCloserTest, TheCallerDoesNotWaitForASocketThatLingers) {
  LingeringSocket lingering(kLinger);
  BackgroundCloser closer;
  const auto start = std::chrono::steady_clock::now();
  closer.close(std::move(lingering.socket));
  EXPECT_LT(since(start).count(), kLinger / 2);
}

// A packet with too many is refused, and one of them lingers.
TEST(BackgroundCloserTest, NeitherDoesTheReceiverOfOne) {
  LingeringSocket lingering(kLinger);
  BackgroundCloser closer;
  const Pair pair = make_pair();
  const UniqueFd here(pair.first);
  UniqueFd there(pair.second);
  ASSERT_FALSE(send_connection(here.get(), 7, lingering.socket.get()));
  std::array<std::byte, 9> form{};
  ASSERT_FALSE(send_packet(here.get(), form, lingering.socket.get()));
  ASSERT_FALSE(send_connection(here.get(), 7, lingering.socket.get()));
  lingering.socket.reset();
  const auto start = std::chrono::steady_clock::now();
  std::error_code error;
  auto taken = receive_connection(there.get(), closer, error);
  ASSERT_TRUE(taken);
  EXPECT_EQ(origin_of(describe_listening(here.get()), taken->connection.get()), Origin::foreign);
  closer.close(std::move(taken->connection));
  EXPECT_FALSE(receive_connection(there.get(), closer, error));
  EXPECT_EQ(error, std::errc::bad_message);
  closer.close(std::move(there));
  EXPECT_LT(since(start).count(), kLinger / 2);
}

}  // namespace
}  // namespace viaduct::daemon::channel
