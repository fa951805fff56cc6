#include "tests/daemon/master/hostile_bridge.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "daemon/channel/answer_memory.hpp"
#include "daemon/channel/background_closer.hpp"
#include "daemon/channel/channel.hpp"
#include "daemon/channel/message_pipe.hpp"
#include "daemon/channel/request_list.hpp"
#include "daemon/channel/scoreboard.hpp"
#include "daemon/channel/unique_fd.hpp"
#include "daemon/master/socket_address.hpp"
#include "tests/daemon/channel/lingering_socket.hpp"

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

void wait_for_room(int descriptor) {
  pollfd writable{descriptor, POLLOUT, 0};
  ::poll(&writable, 1, 100);
}

void note_workers(std::vector<std::uint64_t>& serials) {
  channel::BackgroundCloser closer;
  std::error_code error;
  while (const auto received = channel::receive(kChannelDescriptor, closer, error)) {
    if (received->descriptor >= 0) ::close(received->descriptor);
    if (received->message.type == Type::worker_added) serials.push_back(received->message.serial);
  }
  if (error) ::_exit(1);
}

void kill_workers() {
  send(of(Type::started));
  std::vector<std::uint64_t> serials{0, UINT64_MAX};
  while (true) {
    note_workers(serials);
    for (const std::uint64_t serial : serials) {
      Message message = of(Type::kill);
      message.serial = serial;
      message.set_reason("it pleases me");
      while (channel::write_message(kReportsDescriptor, message)) wait_for_room(kReportsDescriptor);
    }
  }
}

// Says of each worker that it is used up as soon as it is there.
void use_workers_up() {
  send(of(Type::started));
  std::vector<std::uint64_t> serials;
  while (true) {
    note_workers(serials);
    for (const std::uint64_t serial : serials) {
      for (const Type type : {Type::ready, Type::requests, Type::worker_idle}) {
        Message message = of(type);
        message.serial = serial;
        message.count = type == Type::ready ? 1 : UINT32_MAX;
        while (channel::write_message(kReportsDescriptor, message)) {
          wait_for_room(kReportsDescriptor);
        }
      }
    }
  }
}

void give_sockets() {
  constexpr int kLinger = 3600;
  const channel::LingeringSocket lingering(kLinger);
  send(of(Type::started));
  while (channel::send(kChannelDescriptor, of(Type::started), lingering.socket.get()) ==
         std::errc::broken_pipe) {
    ::poll(nullptr, 0, 1);
  }
  // The kernel let one pass: a message that ends the bridge tells it.
  send(of(Type::started));
}

bool changes_size() {
  constexpr int kBoard = channel::kScoreboardDescriptor;
  return ::ftruncate(kBoard, 0) == 0 || ::ftruncate(kBoard, 1 << 20) == 0 ||
         ::fcntl(kBoard, F_ADD_SEALS, F_SEAL_WRITE) == 0;
}

void spoil_board() {
  Scoreboard& scores = map_scoreboard(channel::kScoreboardDescriptor);
  if (changes_size()) return;
  send(of(Type::started));
  for (std::uint64_t turn = 1;; ++turn) {
    scores.progress = turn;
    scores.malformed = turn;
    scores.connections = -1;
    scores.apps[0].requests = 1000 * turn;
    scores.apps[0].errors = 1000 * turn;
    ::poll(nullptr, 0, 5);
    if (turn % 4 != 3) continue;
    ::fallocate(channel::kScoreboardDescriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                sizeof(Scoreboard));
  }
}

bool is_listener(int descriptor) {
  int listening = 0;
  socklen_t size = sizeof(listening);
  return ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0;
}

void wait_for(Type type) {
  channel::BackgroundCloser closer;
  while (true) {
    std::error_code error;
    const auto received = channel::receive(kChannelDescriptor, closer, error);
    if (received && received->message.type == type) return;
    if (error) ::_exit(1);
    pollfd readable{kChannelDescriptor, POLLIN, 0};
    if (!received) ::poll(&readable, 1, -1);
  }
}

void shut_down(int listener) {
  ::shutdown(listener, SHUT_RDWR);
}

// A TCP socket listens no more; one for Unix addresses takes no notice.
void disconnect(int listener) {
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  (void)::connect(listener, &nowhere, sizeof(nowhere));
}

void end_listening(Type when, void (*end)(int)) {
  send(of(Type::started));
  wait_for(when);
  while (true) {
    for (int i = channel::kFirstListenerDescriptor; is_listener(i); ++i) end(i);
    ::poll(nullptr, 0, 5);
  }
}

// The sockets that take the place of those whose listening it has ended.
void take_listeners(std::vector<int>& listeners) {
  channel::BackgroundCloser closer;
  std::error_code error;
  while (const auto received = channel::receive(kChannelDescriptor, closer, error)) {
    if (received->message.type == Type::listener) {
      listeners.push_back(received->descriptor);
    } else if (received->descriptor >= 0) {
      ::close(received->descriptor);
    }
  }
}

void shut_every_listener_down() {
  send(of(Type::started));
  wait_for(Type::accept);
  std::vector<int> listeners;
  for (int i = channel::kFirstListenerDescriptor; is_listener(i); ++i) listeners.push_back(i);
  while (true) {
    take_listeners(listeners);
    for (const int listener : listeners) ::shutdown(listener, SHUT_RDWR);
    ::poll(nullptr, 0, 5);
  }
}

void ask_for_status(const std::string& socket, const std::string& file) {
  const UniqueFd control(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress address = unix_address(socket);
  // Opened before it is ended for connecting.
  const UniqueFd answer(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (::connect(control.get(), address.get(), address.length) != 0) return;
  constexpr std::string_view kQuestion = "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n";
  (void)!::write(control.get(), kQuestion.data(), kQuestion.size());
  ::shutdown(control.get(), SHUT_WR);
  std::array<char, 4096> bytes;
  for (ssize_t count; (count = ::read(control.get(), bytes.data(), bytes.size())) > 0;) {
    (void)!::write(answer.get(), bytes.data(), static_cast<std::size_t>(count));
  }
}

// To descriptors that it may fill: the one of its output, and its log.
void whisper(int descriptor, std::string_view lines) {
  send(of(Type::started));
  while (true) {
    if (::write(descriptor, lines.data(), lines.size()) < 0) wait_for_room(descriptor);
  }
}

void shout(int descriptor) {
  send(of(Type::started));
  std::string lines;
  while (lines.size() < 64 * 1024)
    lines +=
        "\x1b[31mshout\xc2\x9b"
        "31m \r\n";
  while (true) {
    if (::write(descriptor, lines.data(), lines.size()) < 0) wait_for_room(descriptor);
  }
}

void act(std::string_view deed) {
  Message message = of(Type::started);
  if (deed == "kill") return kill_workers();
  if (deed == "use up") return use_workers_up();
  if (deed == "sockets") return give_sockets();
  if (deed.starts_with("control ") || deed.starts_with("caller ")) {
    std::istringstream words{std::string(deed)};
    std::string what;
    std::string socket;
    std::string file;
    std::string gate;
    words >> what >> socket >> file >> gate;
    send(message);
    if (what == "control") wait_for(Type::accept);
    while (!gate.empty() && ::access(gate.c_str(), F_OK) != 0) ::poll(nullptr, 0, 5);
    return ask_for_status(socket, file);
  }
  if (deed == "shutdown") return end_listening(Type::accept, shut_down);
  if (deed == "disconnect") return end_listening(Type::accept, disconnect);
  if (deed == "relentless") return shut_every_listener_down();
  if (deed == "orphan") return end_listening(Type::drain, shut_down);
  if (deed == "board") return spoil_board();
  if (deed.starts_with("list ")) return list(deed.substr(5));
  if (deed == "flood") return flood();
  if (deed == "output") return shout(STDERR_FILENO);
  if (deed == "log") return shout(channel::kLogDescriptor);
  if (deed == "output lines") return whisper(STDERR_FILENO, std::string(64 * 1024, '\n'));
  if (deed == "log lines") return whisper(channel::kLogDescriptor, std::string(64 * 1024, '\n'));
  if (deed == "log bytes") return whisper(channel::kLogDescriptor, "\n");
  if (deed == "size") return send_bytes(sizeof(message) / 2);
  if (deed == "long") return send_bytes(4096);
  if (deed == "socket" && !cannot_send_a_descriptor()) return;
  if (deed == "bytes") {
    ::fcntl(kReportsDescriptor, F_SETFL, 0);
    return send_bytes(2 * sizeof(message));
  }
  if (deed == "type") message = of(Type::accept);
  if (deed == "unknown") message = of(static_cast<Type>(99));
  if (deed == "early" || deed == "left") message = of(Type::left);
  if (deed == "twice" || deed == "left") send(of(Type::started));
  if (deed == "app") message = of(Type::demand, 1);
  if (deed == "capacity") message = of(Type::ready);
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
