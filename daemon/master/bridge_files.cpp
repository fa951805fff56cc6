#include "daemon/master/bridge_files.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include <systemd/sd-journal.h>

#include "daemon/log/log.hpp"

namespace viaduct::daemon::master {

namespace {

[[noreturn]] void fail(const char* what, int error) {
  throw std::system_error(error, std::generic_category(), what);
}

UniqueFd connect_to_syslog() {
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "/dev/log");
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  if (!socket || ::connect(socket.get(), to, sizeof address) != 0) fail("syslog, /dev/log", errno);
  return socket;
}

}  // namespace

UniqueFd open_log(const config::LogTarget& to) {
  using Kind = config::LogTarget::Kind;
  if (to.kind == Kind::file) return UniqueFd(log::open_file(to.path));
  if (to.kind == Kind::syslog) return connect_to_syslog();
  const bool journal = to.kind == Kind::journal;
  const int descriptor = journal ? ::sd_journal_stream_fd("viaductd-access", LOG_INFO, 0)
                                 : ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (descriptor < 0)
    fail(journal ? "the journal" : "standard error", journal ? -descriptor : errno);
  return UniqueFd(descriptor);
}

std::vector<BridgeLogFile> bridge_log_files(const config::Settings& settings) {
  using Kind = config::LogTarget::Kind;
  std::vector<BridgeLogFile> files;
  const auto add = [&](channel::LogTarget target, std::size_t app, const config::LogTarget& to) {
    if (to.kind == Kind::file) files.push_back({target, static_cast<std::uint32_t>(app), to});
  };
  add(channel::LogTarget::log, 0, settings.log.to);
  // Other lines of the bridge go to its own standard error, journal or syslog; these are no lines
  // of its log.
  if (settings.access_log.to.kind != Kind::off) {
    files.push_back({channel::LogTarget::access, 0, settings.access_log.to});
  }
  for (std::size_t i = 0; i < settings.apps.size(); ++i) {
    const config::AppSettings& app = settings.apps[i];
    add(channel::LogTarget::app, i, app.log);
    if (!app.slow_log.empty()) {
      files.push_back(
          {channel::LogTarget::slow, static_cast<std::uint32_t>(i), {Kind::file, app.slow_log}});
    }
  }
  return files;
}

}  // namespace viaduct::daemon::master
