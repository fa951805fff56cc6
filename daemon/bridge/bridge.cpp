#include "daemon/bridge/bridge.hpp"

#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <string>
#include <system_error>
#include <vector>

#include "daemon/bridge/control.hpp"
#include "daemon/bridge/dispatch/spool.hpp"
#include "daemon/bridge/sandbox/sandbox.hpp"
#include "daemon/channel/message.hpp"
#include "daemon/channel/scoreboard.hpp"
#include "daemon/config/bridge_settings.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::bridge {

namespace {

config::BridgeSettings read_settings() {
  std::string text;
  std::array<char, 64 * 1024> chunk;
  for (;;) {
    const ssize_t count = ::pread(channel::kSettingsDescriptor, chunk.data(), chunk.size(),
                                  static_cast<off_t>(text.size()));
    if (count < 0) throw std::system_error(errno, std::generic_category(), "reading the settings");
    if (count == 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(count));
  }
  ::close(channel::kSettingsDescriptor);
  return config::bridge_settings_from_json(text);
}

log::Settings log_settings(const config::LogSettings& settings) {
  log::Settings result;
  result.name = "viaductd-bridge";
  switch (settings.level) {
    case config::LogLevel::debug:
      result.level = log::Level::debug;
      break;
    case config::LogLevel::info:
      result.level = log::Level::info;
      break;
    case config::LogLevel::warn:
      result.level = log::Level::warning;
      break;
    case config::LogLevel::error:
      result.level = log::Level::error;
      break;
  }
  result.format =
      settings.format == config::LogFormat::json ? log::Format::json : log::Format::text;
  result.descriptor = channel::kLogDescriptor;
  if (settings.to.kind == config::LogTarget::Kind::journal) result.sink = log::Sink::journal;
  if (settings.to.kind == config::LogTarget::Kind::syslog) result.sink = log::Sink::syslog;
  return result;
}

void ignore_signals() {
  // A terminal's Ctrl-C reaches the whole group; how the bridge ends is the master's decision.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ}) {
    ::signal(signal, SIG_IGN);
  }
}

// Large strings and vectors come from the kernel and go back to it at once, as protocol::Buffer
// does: the memory that the process takes is what it holds (config::memory_bound). Left to itself
// the C library would keep them from the first on that was freed.
void keep_heap_small() {
  ::mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  ::mallopt(M_TRIM_THRESHOLD, 2 * 1024 * 1024);
}

// No process of the same user may trace the bridge or read its memory, and no core shows it. The
// sanitizers look for leaks by tracing.
void hide_memory() {
#ifndef VIADUCT_SANITIZED
  ::prctl(PR_SET_DUMPABLE, 0);
#endif
}

}  // namespace

int run() {
  try {
    hide_memory();
    ignore_signals();
    keep_heap_small();
    const config::BridgeSettings settings = read_settings();
    log::Log log(log_settings(settings.log));
    Scoreboard& scores = map_scoreboard(channel::kScoreboardDescriptor);
    std::vector<int> listeners;
    for (std::size_t i = 0; i < settings.listeners.size(); ++i) {
      listeners.push_back(channel::kFirstListenerDescriptor + static_cast<int>(i));
    }
    Control control(settings, log, scores, channel::kChannelDescriptor, channel::kReportsDescriptor,
                    listeners);
    for (const int descriptor : listeners) ::close(descriptor);
    const Spool spool(settings.spool, settings.limits.spool);
    const SandboxState sandbox = enter_sandbox(settings.sandbox, spool.directory());
    scores.sandbox = sandbox.parts;
    scores.seccomp_error = sandbox.seccomp_error;
    scores.landlock_error = sandbox.landlock_error;
    control.run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "viaductd: bridge: %s\n", error.what());
    return 70;
  }
}

}  // namespace viaduct::daemon::bridge
