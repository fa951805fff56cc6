#include "daemon/master/worker_spec.hpp"

#include <unistd.h>

#include <cerrno>

#include "daemon/config/executable.hpp"
#include "daemon/config/system.hpp"
#include "daemon/master/exit_text.hpp"
#include "daemon/master/worker_environment.hpp"

namespace viaduct::daemon::master {

namespace {

std::string obstacle(const config::AppSettings& app, const std::string& path, bool exec) {
  const config::System& system = config::real_system();
  const config::Account& account = app.identity.account;
  const config::Access access = exec ? config::executable_by(system, account, path)
                                     : config::enterable_by(system, account, path);
  return access.because.empty() ? "" : ": " + access.because;
}

}  // namespace

SpawnSpec worker_spec(const config::AppSettings& app, const std::string& worker,
                      const config::Environment& inherited, int listener, int null,
                      int error_pipe) {
  SpawnSpec spec;
  spec.executable = app.executable.empty() ? app.command.front() : app.executable;
  spec.arguments = app.command;
  spec.environment = to_strings(worker_environment(app, worker, inherited));
  spec.descriptors = {listener, null, error_pipe};
  if (::geteuid() == 0) spec.account = app.identity.account;
  spec.directory = app.directory;
  spec.umask = app.umask;
  return spec;
}

std::string failure_text(const config::AppSettings& app, const SpawnFailure& failure) {
  const bool exec = failure.stage == SpawnStage::exec;
  const std::string& path = !exec                    ? app.directory
                            : app.executable.empty() ? app.command.front()
                                                     : app.executable;
  std::string text = app.name + ": " + std::string(to_string(failure.stage));
  if (exec || failure.stage == SpawnStage::directory) text += " " + path;
  text += ": " + error_text(failure.error);
  if (failure.error == EACCES) text += obstacle(app, path, exec);
  if (exec && failure.error == ENOENT && ::access(path.c_str(), F_OK) == 0) {
    text += ": the interpreter or loader that the file names does not exist";
  }
  if (exec && failure.error == ENOEXEC) text += ": neither a program nor a script with #!";
  return text;
}

}  // namespace viaduct::daemon::master
