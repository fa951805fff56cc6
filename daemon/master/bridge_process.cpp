#include "daemon/master/bridge_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "daemon/channel/message_check.hpp"
#include "daemon/channel/message_pipe.hpp"
#include "daemon/master/children.hpp"
#include "daemon/master/exit_text.hpp"
#include "daemon/master/log_set.hpp"
#include "daemon/master/process.hpp"
#include "daemon/master/worker_environment.hpp"

namespace viaduct::daemon::master {

namespace {

using boost::asio::posix::descriptor_base;
using channel::Type;

constexpr std::chrono::seconds kFarewell{5};

// Messages in one turn of the event loop, so that a bridge in other hands cannot keep the loop, and
// those of one that has ended: its pipe holds fewer.
constexpr std::size_t kMessagesPerTurn = 256;
constexpr std::size_t kLastMessages = 4096;

SpawnSpec bridge_spec(const Context& context, const BridgeSpec& bridge, int channel, int reports,
                      int output) {
  SpawnSpec spec;
  spec.executable = "/proc/self/exe";
  spec.arguments = {"viaductd: bridge", "--bridge"};
  spec.environment = to_strings(bridge_environment(context.environment));
  const int log = bridge.log >= 0 ? bridge.log : context.null;
  spec.descriptors = {context.null,    context.null,      output,  channel,
                      bridge.settings, bridge.scoreboard, reports, log};
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
      reports_(context.io),
      report_(context.io),
      farewell_(context.io),
      pause_(context.io) {}

BridgeProcess::~BridgeProcess() {
  if (!alive()) return;
  context_.children.forget(pid_);
  kill();
}

void BridgeProcess::start(const BridgeSpec& spec) {
  const channel::Pair pair = channel::make_pair();
  UniqueFd ours(pair.first);
  const UniqueFd theirs(pair.second);
  // From here on the kernel refuses what the other end sends, descriptors included.
  if (::shutdown(ours.get(), SHUT_RD) != 0) {
    throw std::system_error(errno, std::generic_category(), "shutdown");
  }
  channel::MessagePipe reports = channel::make_message_pipe();
  OutputPipe output = make_output_pipe();
  Spawned spawned =
      spawn(bridge_spec(context_, spec, theirs.get(), reports.writer.get(), output.writer.get()));
  pid_ = spawned.pid;
  apps_ = spec.apps;
  channel_.assign(ours.release());
  reports_.assign(reports.reader.release());
  context_.children.watch(pid_, [weak = weak_from_this()](int status) {
    if (const auto self = weak.lock()) self->ended(status);
  });
  watch_report(std::move(spawned.report));
  read_output(std::move(output.reader));
  wait_readable();
}

// What it does not write as lines of its log: why it cannot start, what libraries and sanitizers
// say.
void BridgeProcess::read_output(UniqueFd pipe) {
  output_ =
      std::make_shared<OutputReader>(context_.io, std::move(pipe), [this](std::string_view line) {
        context_.logs.daemon().warning(line, {{"bridge", pid_}});
      });
  output_->start();
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
  if (!channel_.is_open()) return release(std::move(descriptor), message.type);
  if (waiting_.size() == kMaxWaiting) {
    context_.logs.daemon().error("bridge does not read its messages, killed", {{"pid", pid_}});
    release(std::move(descriptor), message.type);
    return kill();
  }
  conduct_.told(message);
  waiting_.push_back({message, std::move(descriptor)});
  if (!waiting_writable_) flush();
}

bool BridgeProcess::ask(const channel::Message& question) {
  try {
    const int memory = questions_.ask(question);
    if (memory < 0) return false;
    send(question, UniqueFd(::fcntl(memory, F_DUPFD_CLOEXEC, 0)));
  } catch (const std::system_error& error) {
    context_.logs.daemon().error("bridge cannot be asked", {{"error", error.what()}});
    return false;
  }
  return true;
}

// The sockets through which one bridge gives another its connections hold whatever the first one
// put there: closing the last descriptor may wait for that.
void BridgeProcess::release(UniqueFd descriptor, channel::Type type) {
  if (type == Type::adopt || type == Type::drain) {
    context_.closer.close(std::move(descriptor));
  }
}

void BridgeProcess::flush() {
  while (!waiting_.empty()) {
    Waiting& next = waiting_.front();
    const auto error = channel::send(channel_.native_handle(), next.message, next.descriptor.get());
    if (error == std::errc::resource_unavailable_try_again) return wait_writable();
    // The peer is gone: its end is noticed by waitpid.
    if (error) return drop_waiting();
    release(std::move(next.descriptor), next.message.type);
    waiting_.pop_front();
  }
}

void BridgeProcess::drop_waiting() {
  for (Waiting& left : waiting_) release(std::move(left.descriptor), left.message.type);
  waiting_.clear();
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
  if (budget_.empty(TokenBucket::Clock::now())) return wait_for_tokens();
  reports_.async_wait(descriptor_base::wait_read,
                      [weak = weak_from_this()](const boost::system::error_code& error) {
                        const auto self = weak.lock();
                        if (!self || error || !self->reports_.is_open()) return;
                        if (self->receive(kMessagesPerTurn)) self->wait_readable();
                      });
}

void BridgeProcess::wait_for_tokens() {
  pause_.expires_after(budget_.wait(TokenBucket::Clock::now()));
  pause_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (self && !error && self->reports_.is_open()) self->wait_readable();
  });
}

// Whether the pipe is still of use.
bool BridgeProcess::receive(std::size_t most) {
  std::error_code error;
  for (std::size_t i = 0; i < most && reports_.is_open(); ++i) {
    const auto message = channel::read_message(reports_.native_handle(), error);
    if (!message) break;
    budget_.spend(BridgeConduct::cost_of(*message), TokenBucket::Clock::now());
    take(*message);
  }
  if (error) reports_failed(error);
  return !error && reports_.is_open();
}

void BridgeProcess::take(const channel::Message& message) {
  auto violation = channel::violation_of(message, apps_);
  if (violation.empty()) violation = conduct_.violation_of(message);
  if (!violation.empty()) return distrust(violation);
  std::string answer;
  if (message.type == Type::listing || message.type == Type::requests_lost) {
    auto taken = questions_.take(message);
    if (!taken) return distrust("an answer to no question, or longer than its memory");
    answer = std::move(*taken);
  }
  observer_.bridge_says(message, std::move(answer));
}

void BridgeProcess::reports_failed(const std::error_code& error) {
  if (error != std::errc::not_connected) return distrust(error.message());
  // One that ends closes the pipe first; one that goes on without it is of no use.
  farewell_.expires_after(kFarewell);
  farewell_.async_wait([weak = weak_from_this()](const boost::system::error_code& cancelled) {
    const auto self = weak.lock();
    if (self && !cancelled) self->kill();
  });
}

void BridgeProcess::distrust(std::string_view why) {
  if (!reports_.is_open()) return;
  context_.logs.daemon().error("bridge breaks the rules of its channel, killed",
                               {{"pid", pid_}, {"reason", std::string(why)}});
  reports_.close();
  kill();
  observer_.bridge_distrusted();
}

void BridgeProcess::kill() noexcept {
  if (alive() && !reaped_) signal_group(pid_, SIGKILL);
}

void BridgeProcess::ended(int status) {
  reaped_ = true;
  output_->finish();
  if (reports_.is_open()) receive(kLastMessages);
  const pid_t pid = std::exchange(pid_, -1);
  farewell_.cancel();
  pause_.cancel();
  reports_.close();
  channel_.close();
  drop_waiting();
  observer_.bridge_ended(pid, status);
}

}  // namespace viaduct::daemon::master
