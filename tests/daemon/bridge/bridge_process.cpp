#include "tests/daemon/bridge/bridge_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include <gtest/gtest.h>

#include "daemon/channel/answer_memory.hpp"
#include "daemon/channel/channel.hpp"
#include "daemon/channel/message_pipe.hpp"
#include "daemon/channel/request_list.hpp"

namespace viaduct::daemon::bridge::testing {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int settings_file(const config::BridgeSettings& settings) {
  const std::string text = config::to_json(settings);
  const int file = ::memfd_create("settings", MFD_CLOEXEC);
  if (file < 0) fail("memfd_create");
  if (::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) fail("write");
  return file;
}

}  // namespace

BridgeProcess::BridgeProcess(Stage& stage, const config::BridgeSettings& settings,
                             const std::vector<int>& listeners)
    : stage_(stage) {
  const channel::Pair channel = channel::make_pair();
  socket_.reset(channel.first);
  const UniqueFd theirs(channel.second);
  channel::MessagePipe reports = channel::make_message_pipe();
  const UniqueFd settings_memory(settings_file(settings));
  const UniqueFd scoreboard(create_scoreboard());
  scores_ = &map_scoreboard(scoreboard.get());
  std::array<int, 2> log{};
  if (::pipe2(log.data(), O_CLOEXEC) != 0) fail("pipe2");
  spawn(listeners,
        {theirs.get(), settings_memory.get(), scoreboard.get(), reports.writer.get(), log[1]},
        log[1]);
  ::close(log[1]);
  ::fcntl(log[0], F_SETFL, O_NONBLOCK);
  channel_.pipe = std::move(reports.reader);
  log_.pipe = log[0];
  stage_.add(channel_);
  stage_.add(log_);
}

BridgeProcess::~BridgeProcess() {
  if (!reap()) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  leave();
  stage_.remove(channel_);
  stage_.remove(log_);
  if (log_.pipe >= 0) ::close(log_.pipe);
  ::munmap(scores_, sizeof(Scoreboard));
}

void BridgeProcess::spawn(const std::vector<int>& listeners, const std::vector<int>& own, int log) {
  std::vector<int> sources = own;
  sources.insert(sources.end(), listeners.begin(), listeners.end());
  // Moved out of the way of the numbers that they will get.
  std::vector<int> moved;
  for (const int source : sources) moved.push_back(::fcntl(source, F_DUPFD_CLOEXEC, 100));
  // Freed memory that is kept for diagnosis would look like growth.
  ::setenv("ASAN_OPTIONS", "quarantine_size_mb=1", 0);
  pid_ = ::fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) {
    ::dup2(log, 2);
    // Without it only root may enter a sandbox.
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (std::size_t i = 0; i < moved.size(); ++i) {
      ::dup2(moved[i], channel::kChannelDescriptor + static_cast<int>(i));
    }
    ::execl(VIADUCT_BRIDGE_CHILD, VIADUCT_BRIDGE_CHILD, nullptr);
    ::_exit(127);
  }
  for (const int descriptor : moved) ::close(descriptor);
}

void BridgeProcess::send(const channel::Message& message, int descriptor) {
  const bool asks = message.type == channel::Type::list_requests ||
                    (message.type == channel::Type::worker_dead && message.count != 0);
  if (asks) {
    UniqueFd& memory = channel_.memories[message.serial];
    memory = channel::make_answer_memory(channel::kMaxListBytes);
    descriptor = ::fcntl(memory.get(), F_DUPFD_CLOEXEC, 0);
  }
  if (const auto error = channel::send(socket_.get(), message, descriptor)) {
    throw std::system_error(error, "sending to the bridge");
  }
  if (descriptor >= 0) ::close(descriptor);
}

std::size_t BridgeProcess::count(channel::Type type) const {
  return static_cast<std::size_t>(
      std::count_if(received_.begin(), received_.end(),
                    [type](const channel::Message& message) { return message.type == type; }));
}

std::optional<channel::Message> BridgeProcess::last(channel::Type type) const {
  const auto found =
      std::find_if(received_.rbegin(), received_.rend(),
                   [type](const channel::Message& message) { return message.type == type; });
  if (found == received_.rend()) return std::nullopt;
  return *found;
}

bool BridgeProcess::wait_for(channel::Type type, std::size_t wanted) {
  return stage_.run_until([&] { return count(type) >= wanted; });
}

bool BridgeProcess::wait_for_log(std::string_view text) {
  return stage_.run_until([&] { return log_.text.find(text) != std::string::npos; });
}

std::size_t BridgeProcess::log_count(std::string_view text) const {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = log_.text.find(text, at)) != std::string::npos; ++at) ++found;
  return found;
}

void BridgeProcess::leave() {
  socket_.reset();
  channel_.pipe.reset();
}

bool BridgeProcess::reap() {
  if (status_) return true;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  status_ = status;
  return true;
}

std::optional<int> BridgeProcess::wait_exit() {
  // Its log ends with it; what it wrote last is wanted, too.
  stage_.run_until([&] { return reap() && log_.pipe < 0; });
  return status_;
}

std::size_t BridgeProcess::resident() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/statm");
  std::size_t total = 0;
  std::size_t pages = 0;
  file >> total >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t BridgeProcess::peak_resident() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmHWM:"))
      return std::stoul(line.substr(line.find_first_of("0123456789"))) * 1024;
  }
  return 0;
}

short BridgeProcess::ChannelPeer::wanted() const {
  return POLLIN;
}

void BridgeProcess::ChannelPeer::ready(short) {
  std::error_code error;
  while (const auto got = channel::read_message(pipe.get(), error)) {
    received_.push_back(*got);
    const auto memory = memories.find(got->serial);
    const bool answers =
        got->type == channel::Type::listing || got->type == channel::Type::requests_lost;
    if (!answers || memory == memories.end()) continue;
    answer =
        channel::read_answer(memory->second.get(), got->size, channel::kMaxListBytes).value_or("");
    memories.erase(memory);
  }
  if (error) pipe.reset();
}

short BridgeProcess::LogPeer::wanted() const {
  return POLLIN | POLLHUP;
}

void BridgeProcess::LogPeer::ready(short) {
  std::array<char, 16 * 1024> chunk;
  const ssize_t count = ::read(pipe, chunk.data(), chunk.size());
  if (count > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(count));
  } else if (count == 0) {
    ::close(pipe);
    pipe = -1;
  }
}

void BridgeProcess::freeze() {
  ::kill(pid_, SIGSTOP);
  int status = 0;
  ASSERT_EQ(::waitpid(pid_, &status, WUNTRACED), pid_);
  ASSERT_TRUE(WIFSTOPPED(status));
}

void BridgeProcess::thaw() {
  ::kill(pid_, SIGCONT);
}

}  // namespace viaduct::daemon::bridge::testing
