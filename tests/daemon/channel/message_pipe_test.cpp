#include "daemon/channel/message_pipe.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <string>

#include <gtest/gtest.h>

namespace viaduct::daemon::channel {
namespace {

class MessagePipeTest : public testing::Test {
 protected:
  MessagePipeTest() { ::signal(SIGPIPE, SIG_IGN); }

  static Message demand(std::uint32_t count) {
    Message message;
    message.type = Type::demand;
    message.count = count;
    return message;
  }

  MessagePipe pipe = make_message_pipe();
  std::error_code error;
};

TEST_F(MessagePipeTest, MessagesArriveWholeAndInOrder) {
  ASSERT_FALSE(write_message(pipe.writer.get(), demand(1)));
  ASSERT_FALSE(write_message(pipe.writer.get(), demand(2)));
  for (const std::uint32_t count : {1u, 2u}) {
    const auto message = read_message(pipe.reader.get(), error);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->type, Type::demand);
    EXPECT_EQ(message->count, count);
  }
  EXPECT_FALSE(read_message(pipe.reader.get(), error));
  EXPECT_FALSE(error) << "nothing there is no error";
  EXPECT_EQ(::fcntl(pipe.reader.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::fcntl(pipe.writer.get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(MessagePipeTest, PacketsOfAnotherSizeAreRefusedAndTheNextIsWhole) {
  const std::string bytes(4096, 'x');
  for (const std::size_t size : {std::size_t{1}, sizeof(Message) - 1, sizeof(Message) + 1,
                                 sizeof(Message) * 2, bytes.size()}) {
    ASSERT_EQ(::write(pipe.writer.get(), bytes.data(), size), static_cast<ssize_t>(size));
    ASSERT_FALSE(write_message(pipe.writer.get(), demand(7)));
    EXPECT_FALSE(read_message(pipe.reader.get(), error)) << size;
    EXPECT_EQ(error, std::errc::bad_message) << size;
    const auto next = read_message(pipe.reader.get(), error);
    ASSERT_TRUE(next) << size;
    EXPECT_EQ(next->count, 7u);
  }
}

// A writer that leaves packet mode joins its messages.
TEST_F(MessagePipeTest, BytesWithoutBoundariesAreRefused) {
  ASSERT_EQ(::fcntl(pipe.writer.get(), F_SETFL, O_NONBLOCK), 0);
  ASSERT_FALSE(write_message(pipe.writer.get(), demand(1)));
  ASSERT_FALSE(write_message(pipe.writer.get(), demand(2)));
  EXPECT_FALSE(read_message(pipe.reader.get(), error));
  EXPECT_EQ(error, std::errc::bad_message);
}

TEST_F(MessagePipeTest, FullPipeDoesNotBlock) {
  std::size_t written = 0;
  while (!error && written < 100'000) {
    error = write_message(pipe.writer.get(), demand(0));
    if (!error) ++written;
  }
  EXPECT_EQ(error, std::errc::resource_unavailable_try_again);
  EXPECT_GE(written, 16u);
  std::size_t read = 0;
  while (read_message(pipe.reader.get(), error)) ++read;
  EXPECT_EQ(read, written) << "whole or not at all";
}

TEST_F(MessagePipeTest, EndsAreTold) {
  pipe.writer.reset();
  EXPECT_FALSE(read_message(pipe.reader.get(), error));
  EXPECT_EQ(error, std::errc::not_connected);
  pipe = make_message_pipe();
  pipe.reader.reset();
  EXPECT_EQ(write_message(pipe.writer.get(), demand(0)), std::errc::broken_pipe);
}

TEST_F(MessagePipeTest, CarriesNoDescriptors) {
  const int descriptor = 0;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  Message message;
  iovec part{&message, sizeof(message)};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof(control);
  cmsghdr* c = CMSG_FIRSTHDR(&header);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(c), &descriptor, sizeof(int));
  EXPECT_LT(::sendmsg(pipe.writer.get(), &header, 0), 0);
  EXPECT_EQ(errno, ENOTSOCK);
}

}  // namespace
}  // namespace viaduct::daemon::channel
