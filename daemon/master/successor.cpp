#include "daemon/master/successor.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <span>
#include <system_error>
#include <utility>

#include "daemon/channel/packet.hpp"
#include "daemon/master/children.hpp"
#include "daemon/master/exit_text.hpp"
#include "daemon/master/process.hpp"
#include "daemon/master/upgrade_text.hpp"
#include "daemon/master/worker_environment.hpp"

namespace viaduct::daemon::master {

namespace {

using boost::asio::posix::descriptor_base;

constexpr int kConversation = 3;

SpawnSpec successor_spec(const Context& context, const Invocation& invocation, int conversation) {
  config::Environment environment = context.environment;
  std::erase_if(environment, [](const auto& entry) {
    return entry.first.starts_with("LISTEN_") || entry.first == "WATCHDOG_PID";
  });
  environment[upgrade::kVariable] = std::to_string(kConversation);
  SpawnSpec spec;
  spec.executable = invocation.executable;
  spec.arguments = invocation.arguments;
  spec.environment = to_strings(environment);
  spec.descriptors = {context.null, STDOUT_FILENO, STDERR_FILENO, conversation};
  spec.no_new_privileges = false;
  spec.own_session = false;
  spec.dies_with_parent = false;
  spec.confinement.soft_files = context.soft_files;
  return spec;
}

void name_listeners(int conversation, const ListenerSet& listeners, const ListenerSocket& control) {
  const auto say = [conversation](const std::string& text, int descriptor) {
    if (const auto error = upgrade::send(conversation, text, descriptor)) {
      throw std::system_error(error, "naming the listeners to the new viaductd");
    }
  };
  for (const auto& socket : listeners.sockets()) {
    const auto kind = socket->made() ? upgrade::kMade : upgrade::kInherited;
    say(std::string(kind) + format(socket->address()), socket->descriptor());
  }
  say(std::string(upgrade::kControl) + format(control.address()), control.descriptor());
  say(std::string(upgrade::kEnd), -1);
}

}  // namespace

Successor::Successor(Context& context, SuccessorObserver& observer)
    : context_(context),
      observer_(observer),
      conversation_(context.io),
      report_(context.io),
      timer_(context.io) {}

Successor::~Successor() {
  if (settled_ || pid_ <= 0) return;
  context_.children.forget(pid_);
  kill();
}

void Successor::start(const Invocation& invocation, const ListenerSet& listeners,
                      const ListenerSocket& control, std::chrono::milliseconds patience) {
  const channel::Pair pair = channel::make_pair();
  UniqueFd ours(pair.first);
  const UniqueFd theirs(pair.second);
  name_listeners(ours.get(), listeners, control);
  Spawned spawned = spawn(successor_spec(context_, invocation, theirs.get()));
  pid_ = spawned.pid;
  conversation_.assign(ours.release());
  context_.children.watch(pid_, [weak = weak_from_this()](int status) {
    if (const auto self = weak.lock()) self->exited(status);
  });
  await_exec(std::move(spawned.report));
  await_ready();
  if (patience.count() == 0) return;
  timer_.expires_after(patience);
  timer_.async_wait([weak = weak_from_this(), patience](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!self || error) return;
    self->failure_ = "it was not ready within " + std::to_string(patience.count()) + " ms";
    self->kill();
  });
}

void Successor::await_exec(UniqueFd report) {
  report_.assign(report.release());
  report_.async_wait(descriptor_base::wait_read, [weak = weak_from_this()](
                                                     const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!self || error) return;
    std::array<std::byte, 64> bytes;
    const ssize_t size = ::read(self->report_.native_handle(), bytes.data(), bytes.size());
    self->report_.close();
    if (size <= 0) return;
    const auto failure = read_failure(std::span(bytes.data(), static_cast<std::size_t>(size)));
    if (!failure) return;
    self->failure_ = std::string(to_string(failure->stage)) + ": " + error_text(failure->error);
  });
}

void Successor::await_ready() {
  conversation_.async_wait(
      descriptor_base::wait_read, [weak = weak_from_this()](const boost::system::error_code& e) {
        const auto self = weak.lock();
        if (!self || e || self->settled_) return;
        std::error_code error;
        while (auto line = upgrade::receive(self->conversation_.native_handle(),
                                            self->context_.closer, error)) {
          BridgeHandle bridge = upgrade::bridge_of(*line);
          self->context_.closer.close(std::move(line->descriptor));
          if (bridge.pid > 0) self->observer_.successor_bridge(std::move(bridge));
          if (line->text != upgrade::kReady) continue;
          self->timer_.cancel();
          return self->observer_.successor_ready();
        }
        if (!error) return self->await_ready();
        // One that has closed its end ends, which waitpid tells.
        if (error != std::errc::bad_message) return;
        self->failure_ = "it sent what no viaductd sends";
        self->kill();
      });
}

void Successor::serve(UniqueFd connections, const std::vector<BridgeHandle>& bridges) {
  settled_ = true;
  context_.children.forget(pid_);
  for (const BridgeHandle& bridge : bridges) {
    (void)upgrade::name_bridge(conversation_.native_handle(), bridge);
  }
  (void)upgrade::send(conversation_.native_handle(), upgrade::kServe, connections.get());
  conversation_.close();
}

void Successor::kill() noexcept {
  // It leads no process group: its own children die with it.
  if (pid_ > 0 && !settled_) ::kill(pid_, SIGKILL);
}

void Successor::exited(int status) {
  settled_ = true;
  timer_.cancel();
  observer_.successor_failed(failure_.empty() ? exit_text(status) : failure_);
}

}  // namespace viaduct::daemon::master
