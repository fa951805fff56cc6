#include "daemon/master/predecessor.hpp"

#include <fcntl.h>
#include <poll.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/master/upgrade_text.hpp"

namespace viaduct::daemon::master {

namespace {

using boost::asio::posix::stream_descriptor;

// All is sent before this process exists; only a stuck machine needs the time.
constexpr int kPatienceMs = 10'000;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error("taking over from another viaductd: " + what);
}

upgrade::Line next_line(int socket, channel::BackgroundCloser& closer) {
  pollfd wait{socket, POLLIN, 0};
  if (::poll(&wait, 1, kPatienceMs) <= 0) fail("it does not name its listeners");
  std::error_code error;
  auto line = upgrade::receive(socket, closer, error);
  if (!line) fail(error ? error.message() : "it does not name its listeners");
  return std::move(*line);
}

std::optional<config::Address> address_behind(std::string_view kind, std::string_view line) {
  if (!line.starts_with(kind)) return std::nullopt;
  auto address = config::parse_address(line.substr(kind.size()));
  if (!std::holds_alternative<config::Address>(address)) fail("'" + std::string(line) + "'");
  return std::get<config::Address>(std::move(address));
}

struct Waiting {
  Waiting(boost::asio::io_context& io, UniqueFd socket, channel::BackgroundCloser background,
          std::function<void(Inheritance)> handler)
      : conversation(io, socket.release()),
        closer(std::move(background)),
        serve(std::move(handler)) {}

  stream_descriptor conversation;
  channel::BackgroundCloser closer;
  std::function<void(Inheritance)> serve;
  Inheritance inheritance{};
};

// Whether that was the last line.
bool take(Waiting& waiting, upgrade::Line line) {
  Inheritance& left = waiting.inheritance;
  if (line.text == upgrade::kServe) {
    left.connections = std::move(line.descriptor);
    return true;
  }
  BridgeHandle bridge = upgrade::bridge_of(line);
  if (bridge.pid > 0 && left.bridges.size() < ForeignBridges::kMax) {
    left.bridges.push_back(std::move(bridge));
  }
  waiting.closer.close(std::move(line.descriptor));
  return false;
}

void await_serve(const std::shared_ptr<Waiting>& waiting) {
  waiting->conversation.async_wait(
      stream_descriptor::wait_read, [waiting](const boost::system::error_code& cancelled) {
        if (cancelled) return;
        std::error_code error;
        while (auto line = upgrade::receive(waiting->conversation.native_handle(), waiting->closer,
                                            error)) {
          if (take(*waiting, std::move(*line))) {
            return waiting->serve(std::move(waiting->inheritance));
          }
        }
        if (error) return waiting->serve(std::move(waiting->inheritance));
        await_serve(waiting);
      });
}

}  // namespace

std::optional<Predecessor> Predecessor::from_environment() {
  const char* const value = std::getenv(upgrade::kVariable);
  if (value == nullptr) return std::nullopt;
  const std::string text(value);
  ::unsetenv(upgrade::kVariable);
  int descriptor = -1;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), descriptor);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  if (!whole || descriptor < 3 || ::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) {
    fail(std::string(upgrade::kVariable) + "=" + text + " names no descriptor");
  }
  return Predecessor(UniqueFd(descriptor));
}

Predecessor::Predecessor(UniqueFd conversation) : conversation_(std::move(conversation)) {
  receive_listeners();
}

void Predecessor::receive_listeners() {
  std::vector<std::shared_ptr<ListenerSocket>> sockets;
  while (true) {
    upgrade::Line line = next_line(conversation_.get(), closer_);
    if (line.text == upgrade::kEnd) break;
    if (const auto made = address_behind(upgrade::kMade, line.text)) {
      sockets.push_back(std::make_shared<ListenerSocket>(
          ListenerSocket::take_over(std::move(line.descriptor), *made, true)));
    } else if (const auto inherited = address_behind(upgrade::kInherited, line.text)) {
      sockets.push_back(std::make_shared<ListenerSocket>(
          ListenerSocket::take_over(std::move(line.descriptor), *inherited, false)));
    } else if (const auto control = address_behind(upgrade::kControl, line.text)) {
      control_ = ListenerSocket::take_over(std::move(line.descriptor), *control, true);
    }
    closer_.close(std::move(line.descriptor));
  }
  listeners_ = ListenerSet(std::move(sockets));
}

void Predecessor::name_bridge(pid_t pid) {
  (void)upgrade::name_bridge(conversation_.get(), handle_of_child(pid));
}

void Predecessor::report_ready(boost::asio::io_context& io,
                               std::function<void(Inheritance)> serve) {
  // One that is gone is noticed by reading.
  (void)upgrade::send(conversation_.get(), upgrade::kReady);
  await_serve(std::make_shared<Waiting>(io, std::move(conversation_), std::move(closer_),
                                        std::move(serve)));
}

}  // namespace viaduct::daemon::master
