#include "tests/daemon/master/hostile_bridge.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "daemon/channel/channel.hpp"

namespace viaduct::daemon::master {

namespace {

using channel::kChannelDescriptor;
using channel::Message;
using channel::Type;

Message of(Type type, std::uint32_t app = 0) {
  Message message;
  message.type = type;
  message.app = app;
  return message;
}

void send_two_descriptors(const Message& message) {
  const int descriptors[2] = {0, 1};
  iovec part{const_cast<Message*>(&message), sizeof(message)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(descriptors))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof(control);
  cmsghdr* c = CMSG_FIRSTHDR(&header);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof(descriptors));
  std::memcpy(CMSG_DATA(c), descriptors, sizeof(descriptors));
  (void)::sendmsg(kChannelDescriptor, &header, MSG_NOSIGNAL);
}

void flood() {
  const Message message = of(Type::started);
  while (::send(kChannelDescriptor, &message, sizeof(message), MSG_NOSIGNAL) > 0 ||
         errno == EAGAIN) {
    pollfd writable{kChannelDescriptor, POLLOUT, 0};
    ::poll(&writable, 1, -1);
    if ((writable.revents & (POLLHUP | POLLERR)) != 0) return;
  }
}

void act(std::string_view deed) {
  Message message = of(Type::started);
  if (deed == "type") message = of(Type::accept);
  if (deed == "app") message = of(Type::demand, 1);
  if (deed == "text") {
    message = of(Type::server);
    message.reason.fill('x');
  }
  if (deed == "size") {
    (void)::send(kChannelDescriptor, &message, sizeof(message) / 2, MSG_NOSIGNAL);
  } else if (deed == "descriptors") {
    send_two_descriptors(of(Type::requests_lost));
  } else if (deed == "flood") {
    flood();
  } else {
    (void)channel::send(kChannelDescriptor, message, deed == "descriptor" ? 0 : -1);
  }
}

}  // namespace

int hostile_bridge(std::string_view deed) {
  act(deed);
  while (true) ::pause();
}

}  // namespace viaduct::daemon::master
