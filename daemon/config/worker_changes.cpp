#include "daemon/config/worker_changes.hpp"

#include "daemon/config/worker_environment.hpp"

namespace viaduct::daemon::config {

namespace {

// `optional` says what happens to the rest; that has happened when two configurations are compared.
bool confine_alike(Isolation before, const Isolation& after) {
  before.optional = after.optional;
  return before == after;
}

}  // namespace

std::vector<std::string_view> worker_changes(const AppSettings& before, const AppSettings& after) {
  std::vector<std::string_view> changed;
  const auto note = [&](std::string_view name, bool same) {
    if (!same) changed.push_back(name);
  };
  const bool same_file = before.executable == after.executable;
  note("connect", before.connect == after.connect);
  note("protocol", before.server.protocol == after.server.protocol);
  note("command", same_file && before.command == after.command);
  note("binary", !same_file || before.command_file == after.command_file);
  note("directory", before.directory == after.directory);
  note("env", configured_environment(before) == configured_environment(after));
  note("clear_env", before.clear_env == after.clear_env);
  note("user", before.identity.account == after.identity.account);
  note("umask", before.umask == after.umask);
  note("isolation", confine_alike(before.isolation, after.isolation));
  note("concurrency", before.concurrency == after.concurrency);
  note("probe", before.probe == after.probe);
  note("stop_signal", before.stop_signal == after.stop_signal);
  note("send_file", before.send_file == after.send_file);
  return changed;
}

}  // namespace viaduct::daemon::config
