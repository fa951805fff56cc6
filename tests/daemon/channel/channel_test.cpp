#include "daemon/channel/channel.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/channel/background_closer.hpp"
#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::channel {
namespace {

class ChannelTest : public testing::Test {
 protected:
  ChannelTest() {
    const Pair pair = make_pair();
    here_.reset(pair.first);
    there_.reset(pair.second);
  }

  UniqueFd here_, there_;
  BackgroundCloser closer_;
  std::error_code error_;
};

Message worker_added() {
  Message message;
  message.type = Type::worker_added;
  message.app = 3;
  message.serial = 1ull << 40;
  message.set_path("/run/viaduct/1/workers/7.sock");
  return message;
}

TEST_F(ChannelTest, MessagesArriveWholeAndInOrder) {
  ASSERT_FALSE(send(here_.get(), worker_added()));
  Message second;
  second.type = Type::drain;
  ASSERT_FALSE(send(here_.get(), second));

  const auto first = receive(there_.get(), closer_, error_);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->message.type, Type::worker_added);
  EXPECT_EQ(first->message.serial, 1ull << 40);
  EXPECT_STREQ(first->message.path.data(), "/run/viaduct/1/workers/7.sock");
  EXPECT_EQ(first->descriptor, -1);
  EXPECT_EQ(receive(there_.get(), closer_, error_)->message.type, Type::drain);
}

TEST_F(ChannelTest, NothingThereIsNoError) {
  EXPECT_FALSE(receive(there_.get(), closer_, error_));
  EXPECT_FALSE(error_);
}

TEST_F(ChannelTest, DescriptorsTravelCloseOnExec) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const UniqueFd read_end(ends[0]);
  ASSERT_FALSE(send(here_.get(), worker_added(), ends[1]));
  ::close(ends[1]);
  const auto received = receive(there_.get(), closer_, error_);
  ASSERT_TRUE(received);
  const UniqueFd taken(received->descriptor);
  ASSERT_GE(taken.get(), 0);
  EXPECT_EQ(::fcntl(taken.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::write(taken.get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(read_end.get(), &byte, 1), 1);
}

int open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<int>(std::distance(begin(all), end(all)));
}

// A peer that sends many to fill the receiver's table.
TEST_F(ChannelTest, MoreThanOneDescriptorIsRefusedAndNoneStaysOpen) {
  const UniqueFd some(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Message message;
  for (const std::size_t count : {2, 3, 253}) {
    const int before = open_descriptors();
    const std::vector<int> sent(count, some.get());
    std::vector<char> control(CMSG_SPACE(count * sizeof(int)));
    iovec part{const_cast<Message*>(&message), sizeof(message)};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(c), sent.data(), count * sizeof(int));
    ASSERT_EQ(::sendmsg(here_.get(), &header, 0), static_cast<ssize_t>(sizeof(message)));
    EXPECT_FALSE(receive(there_.get(), closer_, error_));
    EXPECT_EQ(error_, std::errc::bad_message) << count;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (open_descriptors() > before && std::chrono::steady_clock::now() < end) ::sched_yield();
    EXPECT_LE(open_descriptors(), before) << count;
  }
}

TEST_F(ChannelTest, EndOfThePeerIsTold) {
  here_.reset();
  EXPECT_FALSE(receive(there_.get(), closer_, error_));
  EXPECT_EQ(error_, std::errc::not_connected);
  EXPECT_TRUE(send(there_.get(), worker_added())) << "and no SIGPIPE";
}

TEST_F(ChannelTest, PacketsOfAnotherSizeAreRefused) {
  const Message message;
  std::string bytes(sizeof(Message) + 1, '\0');
  std::memcpy(bytes.data(), &message, sizeof(message));
  for (const std::size_t size : {sizeof(Message) - 1, sizeof(Message) + 1}) {
    ASSERT_EQ(::send(here_.get(), bytes.data(), size, 0), static_cast<ssize_t>(size));
    EXPECT_FALSE(receive(there_.get(), closer_, error_));
    EXPECT_EQ(error_, std::errc::bad_message) << size;
  }
}

TEST_F(ChannelTest, FullQueueDoesNotBlock) {
  std::error_code error;
  for (int i = 0; i < 100'000 && !error; ++i) error = send(here_.get(), worker_added());
  EXPECT_EQ(error, std::errc::resource_unavailable_try_again);
}

TEST(MessageTest, TextIsCutToFit) {
  Message message;
  const std::size_t room = message.reason.size() - 1;
  for (const std::size_t size : {room - 1, room, room + 1, room * 4}) {
    message.set_reason(std::string(size, 'x'));
    EXPECT_EQ(std::strlen(message.reason.data()), std::min(size, room));
  }
  message.set_reason("short");
  EXPECT_STREQ(message.reason.data(), "short");
}

}  // namespace
}  // namespace viaduct::daemon::channel
