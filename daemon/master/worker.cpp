#include "daemon/master/worker.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "daemon/config/canary.hpp"
#include "daemon/master/cgroup_tree.hpp"
#include "daemon/master/children.hpp"
#include "daemon/master/exit_text.hpp"
#include "daemon/master/log_set.hpp"
#include "daemon/master/process_memory.hpp"
#include "daemon/master/remains.hpp"
#include "daemon/master/runtime_directory.hpp"
#include "daemon/master/worker_spec.hpp"

namespace viaduct::daemon::master {

namespace {

using Clock = std::chrono::steady_clock;

// A program without probe counts as ready once it has survived this long.
constexpr std::chrono::milliseconds kAliveWithoutProbe{200};

constexpr std::chrono::seconds kMeasureInterval{1};

}  // namespace

Worker::Worker(Context& context, const config::AppSettings& app, unsigned slot, WorkerOwner& owner)
    : context_(context),
      app_(app),
      owner_(owner),
      serial_(context.next_serial++),
      slot_(slot),
      name_(config::pool_name(app) + "/" + std::to_string(slot)),
      jitter_(std::uniform_real_distribution<double>(0.0, 1.0)(context.random)),
      started_(Clock::now()),
      timer_(context.io),
      report_(context.io) {}

Worker::~Worker() {
  if (!cgroup_.empty()) context_.cgroups.remove(cgroup_);
  if (state_ == WorkerState::gone || pid_ < 0) return;
  context_.children.forget(pid_);
  kill();
  context_.runtime.remove_worker_socket(serial_);
}

void Worker::start() {
  const UniqueFd listener = context_.runtime.listen_for_worker(serial_);
  OutputPipe output = make_output_pipe();
  const UniqueFd cgroup = make_cgroup();
  SpawnSpec spec = worker_spec(app_, name_, serial_, context_.environment, listener.get(),
                               context_.null, output.writer.get());
  spec.confinement.cgroup = cgroup.get();
  spec.confinement.soft_files = context_.soft_files;
  Spawned spawned = spawn(std::move(spec));
  pid_ = spawned.pid;
  started_ = Clock::now();
  output_ = std::make_shared<OutputReader>(context_.io, std::move(output.reader),
                                           [this](std::string_view line) { log_output(line); });
  output_->start();
  context_.children.watch(pid_, [weak = weak_from_this()](int status) {
    if (const auto self = weak.lock()) self->exited(status);
  });
  watch_report(std::move(spawned.report));
  context_.logs.daemon().info("worker started",
                              {{"app", app_.name}, {"worker", name_}, {"pid", pid_}});
}

UniqueFd Worker::make_cgroup() {
  const bool limited = needs_cgroup(app_.isolation);
  if (!limited && !context_.cgroups.available()) return {};
  std::string name = cgroup_name(app_.name, ::getpid(), serial_);
  try {
    UniqueFd members = context_.cgroups.create(name, cgroup_values(app_.isolation));
    cgroup_ = std::move(name);
    return members;
  } catch (const CgroupError& error) {
    if (limited && !app_.isolation.optional) throw;
    context_.logs.daemon().warning(app_.name + ": worker has no cgroup",
                                   {{"worker", name_}, {"error", error.what()}});
    return {};
  }
}

// Tells who ends what the worker has started and left behind.
void Worker::leave_remains() {
  if (cgroup_.empty()) return context_.children.worker_ended(pid_, serial_);
  context_.remains.add(std::exchange(cgroup_, {}), app_.timeouts.stop);
}

void Worker::handle(WorkerEvent event) {
  const auto step = advance(state_, event);
  if (!step) {
    context_.logs.daemon().error(
        "worker event out of place",
        {{"worker", name_}, {"state", to_string(state_)}, {"event", to_string(event)}});
    return;
  }
  if (event == WorkerEvent::start_expired) {
    failure_ = "was not ready within timeouts.start: " + what_is_expected(app_);
    context_.logs.daemon().error(app_.name + ": worker was not ready within timeouts.start, killed",
                                 {{"app", app_.name},
                                  {"worker", name_},
                                  {"pid", pid_},
                                  {"start_ms", app_.timeouts.start.count()},
                                  {"hint", what_is_expected(app_)}});
  }
  const auto self = shared_from_this();
  state_ = step->next;
  for (const WorkerAction action : step->actions) act(action);
}

void Worker::act(WorkerAction action) {
  switch (action) {
    case WorkerAction::none:
      return;
    case WorkerAction::report_ready:
      timer_.cancel();
      was_ready_ = true;
      return owner_.worker_ready(*this);
    case WorkerAction::tell_draining:
      arm(app_.timeouts.stop, WorkerEvent::drain_expired);
      return owner_.worker_draining(*this);
    case WorkerAction::free_place:
      return owner_.worker_place_free(*this);
    case WorkerAction::signal_stop:
      signal(app_.stop_signal);
      return arm(app_.timeouts.stop, WorkerEvent::stop_expired);
    case WorkerAction::signal_term:
      signal(SIGTERM);
      return arm(app_.timeouts.stop, WorkerEvent::stop_expired);
    case WorkerAction::hasten_kill:
      return hasten(app_.timeouts.abort);
    case WorkerAction::signal_kill:
      timer_.cancel();
      return kill();
    case WorkerAction::tell_dead:
      timer_.cancel();
      context_.runtime.remove_worker_socket(serial_);
      return owner_.worker_gone(*this, status_);
  }
}

// Only ever shortens what is left.
void Worker::hasten(std::chrono::milliseconds left) {
  if (timer_.expiry() > Clock::now() + left) arm(left, WorkerEvent::stop_expired);
}

// A time-out of 0 is off: then it is only hastened.
void Worker::arm(std::chrono::milliseconds delay, WorkerEvent event) {
  if (delay.count() == 0) {
    timer_.expires_at(Clock::time_point::max());
  } else {
    timer_.expires_after(delay);
  }
  timer_.async_wait([weak = weak_from_this(), event](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (self && !error) self->handle(event);
  });
}

void Worker::signal(int number) {
  context_.logs.daemon().debug("signal to worker",
                               {{"worker", name_}, {"pid", pid_}, {"signal", signal_name(number)}});
  signal_group(pid_, number);
}

void Worker::kill() noexcept {
  if (pid_ > 0 && state_ != WorkerState::gone) signal_group(pid_, SIGKILL);
}

void Worker::watch_report(UniqueFd report) {
  report_.assign(report.release());
  arm(app_.timeouts.start, WorkerEvent::start_expired);
  report_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                     [weak = weak_from_this()](const boost::system::error_code& error) {
                       const auto self = weak.lock();
                       if (self && !error) self->report_arrived();
                     });
}

void Worker::report_arrived() {
  if (!report_.is_open()) return;
  std::array<std::byte, 64> bytes;
  const ssize_t size = ::read(report_.native_handle(), bytes.data(), bytes.size());
  report_.close();
  if (size <= 0) return executed();
  const auto failure = read_failure(std::span(bytes.data(), static_cast<std::size_t>(size)));
  spawn_failed_ = true;
  const std::string text = failure ? failure_text(app_, *failure) : app_.name + ": not started";
  failure_ = text;
  context_.logs.daemon().error(text, {{"app", app_.name}, {"worker", name_}});
}

void Worker::executed() {
  if (!app_.probe && state_ == WorkerState::starting) {
    arm(kAliveWithoutProbe, WorkerEvent::answered);
  }
}

void Worker::exited(int status) {
  if (report_.is_open()) report_arrived();
  if (output_) output_->finish();
  leave_remains();
  status_ = status;
  log_exit(status);
  report_crash();
  handle(WorkerEvent::exited);
}

void Worker::log_output(std::string_view line) const {
  context_.logs.app(app_.name).warning(
      line, {{"app", app_.name}, {"worker", name_}, {"pid", pid_}, {"stream", "stderr"}});
}

void Worker::report_crash() {
  if (spawn_failed_ || !output_) return;
  const auto& notes = output_->crash_notes().lines();
  const bool told = state_ != WorkerState::starting && state_ != WorkerState::ready;
  if (!is_crash(status_, was_ready_, told)) {
    for (const std::string& line : notes) log_output(line);
    return;
  }
  const auto& last = output_->last_lines();
  rlimit core{};
  ::getrlimit(RLIMIT_CORE, &core);
  crash_ = CrashReport{.app = app_.name,
                       .worker = name_,
                       .pid = pid_,
                       .status = status_,
                       .time = std::chrono::system_clock::now(),
                       .uptime = uptime(),
                       .core_limit = app_.isolation.core.value_or(core.rlim_cur),
                       .core_pattern = {},
                       .requests = {},
                       .notes = notes,
                       .written = {last.begin(), last.end()}};
}

void Worker::log_exit(int status) {
  if (spawn_failed_) return;
  const log::Log& log = context_.logs.daemon();
  std::string how = was_ready_ ? exit_text(status) : exit_text(status) + " before it was ready";
  // One that failed says why itself.
  if (!was_ready_ && status == 0) how += ": " + what_is_expected(app_);
  if (state_ != WorkerState::starting && state_ != WorkerState::ready) {
    return log.info(app_.name + ": worker " + exit_text(status),
                    {{"app", app_.name}, {"worker", name_}, {"pid", pid_}});
  }
  if (failure_.empty()) failure_ = how;
  log.error(app_.name + ": worker " + how, {{"app", app_.name},
                                            {"worker", name_},
                                            {"pid", pid_},
                                            {"uptime_ms", uptime().count()},
                                            {"last_output", last_output()}});
}

std::string Worker::last_output() const {
  constexpr std::ptrdiff_t kShown = 3;
  constexpr std::size_t kBytes = 1024;
  if (!output_) return {};
  const auto& lines = output_->last_lines();
  const auto count = std::min(kShown, std::ssize(lines));
  return join({lines.end() - count, lines.end()}, kBytes);
}

std::string Worker::last_line() const {
  if (!output_) return {};
  const auto& lines = output_->last_lines();
  const auto last = std::find_if(lines.rbegin(), lines.rend(), [](const std::string& line) {
    return line.find_first_not_of(" \t") != std::string::npos;
  });
  return last == lines.rend() ? "" : *last;
}

std::string Worker::socket_path() const {
  return context_.runtime.worker_socket(serial_);
}

std::chrono::milliseconds Worker::uptime() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_);
}

std::uint64_t Worker::memory() {
  const auto now = Clock::now();
  if (measured_ == Clock::time_point{} || now - measured_ >= kMeasureInterval) {
    memory_ = memory_of(pid_);
    measured_ = now;
  }
  return memory_;
}

}  // namespace viaduct::daemon::master
