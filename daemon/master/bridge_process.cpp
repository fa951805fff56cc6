#include "daemon/master/bridge_process.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "daemon/channel/message_check.hpp"
#include "daemon/master/children.hpp"
#include "daemon/master/exit_text.hpp"
#include "daemon/master/log_set.hpp"
#include "daemon/master/process.hpp"
#include "daemon/master/worker_environment.hpp"

namespace viaduct::daemon::master {

namespace {

using boost::asio::posix::descriptor_base;

constexpr std::chrono::seconds kFarewell{5};

// Messages in one turn of the event loop, so that a bridge in other hands cannot keep the loop, and
// those of one that has ended: its queue holds fewer.
constexpr std::size_t kMessagesPerTurn = 256;
constexpr std::size_t kLastMessages = 4096;

SpawnSpec bridge_spec(const Context& context, const BridgeSpec& bridge, int channel) {
  SpawnSpec spec;
  spec.executable = "/proc/self/exe";
  spec.arguments = {"viaductd: bridge", "--bridge"};
  spec.environment = to_strings(bridge_environment(context.environment));
  spec.descriptors = {context.null, context.null,    STDERR_FILENO,
                      channel,      bridge.settings, bridge.scoreboard};
  spec.descriptors.insert(spec.descriptors.end(), bridge.listeners.begin(), bridge.listeners.end());
  if (::geteuid() == 0) spec.account = bridge.account;
  spec.directory = "/";
  spec.umask = 0077;
  return spec;
}

}  // namespace

BridgeProcess::BridgeProcess(Context& context, BridgeObserver& observer)
    : context_(context),
      observer_(observer),
      channel_(context.io),
      report_(context.io),
      farewell_(context.io) {}

BridgeProcess::~BridgeProcess() {
  if (!alive()) return;
  context_.children.forget(pid_);
  kill();
}

void BridgeProcess::start(const BridgeSpec& spec) {
  const channel::Pair pair = channel::make_pair();
  UniqueFd ours(pair.first);
  const UniqueFd theirs(pair.second);
  Spawned spawned = spawn(bridge_spec(context_, spec, theirs.get()));
  pid_ = spawned.pid;
  apps_ = spec.apps;
  channel_.assign(ours.release());
  context_.children.watch(pid_, [weak = weak_from_this()](int status) {
    if (const auto self = weak.lock()) self->ended(status);
  });
  watch_report(std::move(spawned.report));
  wait_readable();
}

void BridgeProcess::watch_report(UniqueFd report) {
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
    self->context_.logs.daemon().error("bridge: " + std::string(to_string(failure->stage)) + ": " +
                                       error_text(failure->error));
  });
}

void BridgeProcess::send(const channel::Message& message, UniqueFd descriptor) {
  if (!channel_.is_open()) return;
  if (waiting_.size() == kMaxWaiting) {
    context_.logs.daemon().error("bridge does not read its messages, killed", {{"pid", pid_}});
    return kill();
  }
  waiting_.push_back({message, std::move(descriptor)});
  if (!waiting_writable_) flush();
}

void BridgeProcess::flush() {
  while (!waiting_.empty()) {
    const Waiting& next = waiting_.front();
    const auto error = channel::send(channel_.native_handle(), next.message, next.descriptor.get());
    if (error == std::errc::resource_unavailable_try_again) return wait_writable();
    // The peer is gone: its end is noticed by waitpid.
    if (error) return waiting_.clear();
    waiting_.pop_front();
  }
}

void BridgeProcess::wait_writable() {
  waiting_writable_ = true;
  channel_.async_wait(descriptor_base::wait_write,
                      [weak = weak_from_this()](const boost::system::error_code& error) {
                        const auto self = weak.lock();
                        if (!self || error) return;
                        self->waiting_writable_ = false;
                        self->flush();
                      });
}

void BridgeProcess::wait_readable() {
  channel_.async_wait(descriptor_base::wait_read,
                      [weak = weak_from_this()](const boost::system::error_code& error) {
                        const auto self = weak.lock();
                        if (!self || error || !self->channel_.is_open()) return;
                        if (self->receive(kMessagesPerTurn)) self->wait_readable();
                      });
}

// Whether the channel is still of use.
bool BridgeProcess::receive(std::size_t most) {
  std::error_code error;
  for (std::size_t i = 0; i < most && channel_.is_open(); ++i) {
    auto received = channel::receive(channel_.native_handle(), error);
    if (!received) break;
    UniqueFd descriptor(received->descriptor);
    const auto violation =
        channel::violation_of(received->message, static_cast<bool>(descriptor), apps_);
    if (!violation.empty()) return distrust(violation);
    observer_.bridge_says(received->message, std::move(descriptor));
  }
  if (error == std::errc::bad_message) return distrust(error.message());
  if (!error) return channel_.is_open();
  if (error != std::errc::not_connected && error != std::errc::connection_reset) {
    context_.logs.daemon().error("bridge channel: " + error.message(), {{"pid", pid_}});
  }
  // One that ends closes its channel first; one that goes on without it is of no use.
  farewell_.expires_after(kFarewell);
  farewell_.async_wait([weak = weak_from_this()](const boost::system::error_code& cancelled) {
    const auto self = weak.lock();
    if (self && !cancelled) self->kill();
  });
  return false;
}

// Nothing that it says is believed any more. Always false.
bool BridgeProcess::distrust(std::string_view why) {
  context_.logs.daemon().error("bridge breaks the rules of its channel, killed",
                               {{"pid", pid_}, {"reason", std::string(why)}});
  channel_.close();
  kill();
  return false;
}

void BridgeProcess::kill() noexcept {
  if (alive()) signal_group(pid_, SIGKILL);
}

void BridgeProcess::ended(int status) {
  if (channel_.is_open()) receive(kLastMessages);
  pid_ = -1;
  farewell_.cancel();
  channel_.close();
  waiting_.clear();
  observer_.bridge_ended(status);
}

}  // namespace viaduct::daemon::master
