#include "daemon/master/bridge_logs.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <systemd/sd-journal.h>

#include "daemon/log/log.hpp"
#include "daemon/master/start_error.hpp"

namespace viaduct::daemon::master {

namespace {

[[noreturn]] void fail(const char* what, int error) {
  throw std::system_error(error, std::generic_category(), what);
}

// In a tenth of a second. What an honest bridge logs is limited; an access log has a line for every
// request that one thread can serve.
constexpr std::size_t kLogBytes = 128 * 1024;
constexpr std::size_t kAccessBytes = 1024 * 1024;
// Of the pipes of all threads together: a user's pipes have a common bound.
constexpr std::uint32_t kAccessPipes = 16 * 1024 * 1024;
constexpr std::uint32_t kLongestPipe = 1024 * 1024;
constexpr std::uint32_t kShortestPipe = 64 * 1024;

UniqueFd connect_to_syslog() {
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "/dev/log");
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  if (!socket || ::connect(socket.get(), to, sizeof address) != 0) fail("syslog, /dev/log", errno);
  return socket;
}

UniqueFd connect_to_journal() {
  const int descriptor = ::sd_journal_stream_fd("viaductd-access", LOG_INFO, 0);
  if (descriptor < 0) fail("the journal", -descriptor);
  return UniqueFd(descriptor);
}

UniqueFd connect_to(const config::LogTarget& to) {
  return to.kind == config::LogTarget::Kind::journal ? connect_to_journal() : connect_to_syslog();
}

bool is_file(const config::LogTarget& to) {
  return to.kind == config::LogTarget::Kind::file ||
         to.kind == config::LogTarget::Kind::standard_error;
}

UniqueFd open_file(const config::LogTarget& to) {
  if (to.kind == config::LogTarget::Kind::file) return UniqueFd(log::open_file(to.path));
  UniqueFd copy(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!copy) fail("standard error", errno);
  return copy;
}

std::shared_ptr<LogFile> log_file(const config::LogTarget& to) {
  return is_file(to) ? std::make_shared<LogFile>(open_file(to)) : nullptr;
}

}  // namespace

std::vector<BridgeLog> bridge_logs_of(const config::Settings& settings) {
  using Kind = config::LogTarget::Kind;
  std::vector<BridgeLog> logs;
  // A socket of the journal or syslog, too: these are no lines of the daemon's log.
  if (settings.access_log.to.kind != Kind::off) {
    logs.push_back({channel::LogTarget::access, 0, settings.access_log.to, "access_log.to"});
  }
  for (std::uint32_t i = 0; i < settings.apps.size(); ++i) {
    const config::AppSettings& app = settings.apps[i];
    const std::string path = "apps." + app.name;
    if (is_file(app.log)) {
      logs.push_back({channel::LogTarget::app, i, app.log, path + ".log.to"});
    }
    if (app.slow_log.empty()) continue;
    logs.push_back({channel::LogTarget::slow, i, {Kind::file, app.slow_log}, path + ".slow_log"});
  }
  return logs;
}

BridgeLogs::BridgeLogs(LogCopier& copier, const config::Settings& settings)
    : copier_(copier), settings_(settings) {
  const auto open = [&settings](const config::LogTarget& to, const std::string& key) {
    try {
      // Whether the journal is there shows now, and not when a bridge runs.
      if (!is_file(to)) (void)connect_to(to);
      return log_file(to);
    } catch (const std::system_error& error) {
      throw error_of_key(settings, key, error);
    }
  };
  if (is_file(settings.log.to)) daemon_ = open(settings.log.to, "log.to");
  for (BridgeLog& log : bridge_logs_of(settings)) {
    auto file = open(log.to, log.key);
    others_.push_back({std::move(log), std::move(file)});
  }
}

std::vector<std::string> BridgeLogs::reopen() {
  std::vector<std::string> failures;
  const auto renew = [&failures](LogFile* file, const config::LogTarget& to) {
    if (file == nullptr) return;
    try {
      file->replace(open_file(to));
    } catch (const std::system_error& error) {
      failures.emplace_back(error.what());
    }
  };
  renew(daemon_.get(), settings_.log.to);
  for (const Open& open : others_) renew(open.file.get(), open.log.to);
  return failures;
}

std::vector<std::pair<std::string, std::uint64_t>> BridgeLogs::take_lost() {
  std::vector<std::pair<std::string, std::uint64_t>> all;
  const auto take = [&all](const std::string& key, const std::shared_ptr<LogFile>& file) {
    const std::uint64_t lost = file ? file->take_lost() : 0;
    if (lost > 0) all.emplace_back(key, lost);
  };
  take("log.to", daemon_);
  for (const Open& open : others_) take(open.log.key, open.file);
  return all;
}

UniqueFd BridgeLogs::daemon_pipe() {
  return daemon_ ? copier_.pipe_to(daemon_, {settings_.log.format, kLogBytes}) : UniqueFd();
}

UniqueFd BridgeLogs::descriptor_of(const Open& open) {
  if (!is_file(open.log.to)) return connect_to(open.log.to);
  const bool access = open.log.target == channel::LogTarget::access;
  if (access) {
    const std::uint32_t share = kAccessPipes / std::max(settings_.bridge.threads, 1U);
    const auto pipe = static_cast<int>(std::clamp(share, kShortestPipe, kLongestPipe));
    return copier_.pipe_to(open.file, {settings_.access_log.format, kAccessBytes, pipe});
  }
  return copier_.pipe_to(open.file, {settings_.log.format, kLogBytes});
}

// Each thread has an access log of its own, so that nothing comes between the parts of a long line.
void BridgeLogs::introduce(const std::function<void(const channel::Message&, UniqueFd)>& give) {
  channel::Message message;
  message.type = channel::Type::log_target;
  for (const Open& open : others_) {
    const bool access = open.log.target == channel::LogTarget::access;
    const std::uint32_t first = access ? 0 : open.log.app;
    const std::uint32_t count = access ? settings_.bridge.threads : 1;
    message.target = open.log.target;
    for (message.app = first; message.app < first + count; ++message.app) {
      give(message, descriptor_of(open));
    }
  }
}

}  // namespace viaduct::daemon::master
