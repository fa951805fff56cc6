#include "daemon/master/bridge_files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace viaduct::daemon::master {

UniqueFd sealed_memory(const char* name, std::string_view text) {
  const auto fail = [](const char* call) {
    throw std::system_error(errno, std::generic_category(), call);
  };
  UniqueFd memory(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) fail("memfd_create");
  while (!text.empty()) {
    const ssize_t written = ::write(memory.get(), text.data(), text.size());
    if (written < 0 && errno != EINTR) fail("write to memfd");
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  // Every bridge reads from its own offset: it must use pread or rewind.
  ::lseek(memory.get(), 0, SEEK_SET);
  const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (::fcntl(memory.get(), F_ADD_SEALS, seals) != 0) fail("seal memfd");
  return memory;
}

std::vector<BridgeLogFile> bridge_log_files(const config::Settings& settings) {
  using Kind = config::LogTarget::Kind;
  std::vector<BridgeLogFile> files;
  const auto add = [&](channel::LogTarget target, std::size_t app, const config::LogTarget& to) {
    if (to.kind == Kind::file) files.push_back({target, static_cast<std::uint32_t>(app), to.path});
  };
  add(channel::LogTarget::log, 0, settings.log.to);
  add(channel::LogTarget::access, 0, settings.access_log.to);
  for (std::size_t i = 0; i < settings.apps.size(); ++i) {
    const config::AppSettings& app = settings.apps[i];
    add(channel::LogTarget::app, i, app.log);
    if (!app.slow_log.empty()) {
      files.push_back({channel::LogTarget::slow, static_cast<std::uint32_t>(i), app.slow_log});
    }
  }
  return files;
}

}  // namespace viaduct::daemon::master
