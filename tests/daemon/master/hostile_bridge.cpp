#include "tests/daemon/master/hostile_bridge.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <system_error>

#include "daemon/channel/answer_memory.hpp"
#include "daemon/channel/background_closer.hpp"
#include "daemon/channel/channel.hpp"
#include "daemon/channel/message_pipe.hpp"
#include "daemon/channel/request_list.hpp"

namespace viaduct::daemon::master {

namespace {

using channel::kChannelDescriptor;
using channel::kReportsDescriptor;
using channel::Message;
using channel::Type;

Message of(Type type, std::uint32_t app = 0) {
  Message message;
  message.type = type;
  message.app = app;
  return message;
}

void send(const Message& message) {
  (void)channel::write_message(kReportsDescriptor, message);
}

// Whether the kernel refuses it.
bool cannot_send_a_descriptor() {
  return static_cast<bool>(channel::send(kChannelDescriptor, of(Type::started), 0));
}

void flood() {
  send(of(Type::started));
  const Message message = of(Type::demand);
  while (true) {
    const auto error = channel::write_message(kReportsDescriptor, message);
    if (error && error != std::errc::resource_unavailable_try_again) return;
    pollfd writable{kReportsDescriptor, POLLOUT, 0};
    if (error) ::poll(&writable, 1, -1);
  }
}

void send_bytes(std::size_t size) {
  const std::string bytes(size, '\0');
  (void)!::write(kReportsDescriptor, bytes.data(), bytes.size());
}

channel::Received next_question() {
  channel::BackgroundCloser closer;
  while (true) {
    std::error_code error;
    if (const auto received = channel::receive(kChannelDescriptor, closer, error)) {
      if (received->message.type == Type::list_requests) return *received;
      continue;
    }
    if (error) ::_exit(1);
    pollfd readable{kChannelDescriptor, POLLIN, 0};
    ::poll(&readable, 1, -1);
  }
}

void list(std::string_view how) {
  send(of(Type::started));
  const channel::Received question = next_question();
  const std::string bytes = how == "bytes" ? "no list" : channel::encode({{}}).bytes;
  (void)channel::write_answer(question.descriptor, bytes);
  Message answer = of(Type::listing);
  answer.serial = question.message.serial;
  answer.size = static_cast<std::uint32_t>(how == "size" ? UINT32_MAX : bytes.size());
  send(answer);
  if (how == "twice") send(answer);
}

void act(std::string_view deed) {
  Message message = of(Type::started);
  if (deed.starts_with("list ")) return list(deed.substr(5));
  if (deed == "flood") return flood();
  if (deed == "size") return send_bytes(sizeof(message) / 2);
  if (deed == "long") return send_bytes(4096);
  if (deed == "socket" && !cannot_send_a_descriptor()) return;
  if (deed == "bytes") {
    ::fcntl(kReportsDescriptor, F_SETFL, 0);
    return send_bytes(2 * sizeof(message));
  }
  if (deed == "type") message = of(Type::accept);
  if (deed == "early" || deed == "left") message = of(Type::left);
  if (deed == "twice" || deed == "left") send(of(Type::started));
  if (deed == "app") message = of(Type::demand, 1);
  if (deed == "answer") message = of(Type::listing);
  if (deed == "text") {
    message = of(Type::server);
    message.reason.fill('x');
  }
  send(message);
}

}  // namespace

int hostile_bridge(std::string_view deed) {
  act(deed);
  while (true) ::pause();
}

}  // namespace viaduct::daemon::master
