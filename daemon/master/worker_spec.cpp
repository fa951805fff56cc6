#include "daemon/master/worker_spec.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "daemon/config/executable.hpp"
#include "daemon/config/system.hpp"
#include "daemon/master/exit_text.hpp"
#include "daemon/master/worker_environment.hpp"

namespace viaduct::daemon::master {

namespace {

const std::string& program(const config::AppSettings& app) {
  return app.executable.empty() ? app.command.front() : app.executable;
}

bool exists(const config::AppSettings& app, const std::string& path) {
  const config::System& system = config::real_system();
  const std::string& root = app.isolation.chroot;
  return (root.empty() ? system.status(path) : system.status_in(root, path)).error == 0;
}

// The file or directory that a stage is about; "" when it is about none.
std::string subject(const config::AppSettings& app, const SpawnFailure& failure) {
  const config::Isolation& isolation = app.isolation;
  const std::string inside = isolation.chroot.empty() ? "" : " in " + isolation.chroot;
  switch (failure.stage) {
    case SpawnStage::chroot:
      return isolation.chroot;
    case SpawnStage::read_only: {
      const auto item = static_cast<std::size_t>(failure.item);
      return item < isolation.read_only.size() ? isolation.read_only[item] + inside : "";
    }
    case SpawnStage::directory:
      return app.directory + inside;
    case SpawnStage::exec:
      return program(app) + inside;
    default:
      return {};
  }
}

std::string obstacle(const config::AppSettings& app, const std::string& path, bool exec) {
  const config::System& system = config::real_system();
  const config::Account& account = app.identity.account;
  const std::string& root = app.isolation.chroot;
  const config::Access access = exec ? config::executable_by(system, account, path, root)
                                     : config::enterable_by(system, account, path, root);
  return access.because.empty() ? "" : ": " + access.because;
}

}  // namespace

SpawnSpec worker_spec(const config::AppSettings& app, const std::string& worker,
                      std::uint64_t serial, const config::Environment& inherited, int listener,
                      int null, int error_pipe) {
  SpawnSpec spec;
  spec.executable = program(app);
  if (app.pinned_file) spec.pinned_file = app.pinned_file->get();
  spec.arguments = app.command;
  spec.environment = to_strings(worker_environment(app, worker, serial, inherited));
  // In front: of a large environment, Orphans read the beginning alone.
  std::stable_partition(
      spec.environment.begin(), spec.environment.end(),
      [](const std::string& entry) { return entry.starts_with(kSerialVariable); });
  spec.descriptors = {listener, null, error_pipe};
  if (::geteuid() == 0) spec.account = app.identity.account;
  spec.directory = app.directory;
  spec.umask = app.umask;
  spec.no_new_privileges = app.isolation.no_new_privs;
  spec.confinement = confinement(app.isolation);
  return spec;
}

std::string failure_text(const config::AppSettings& app, const SpawnFailure& failure) {
  const bool exec = failure.stage == SpawnStage::exec;
  const bool path = exec || failure.stage == SpawnStage::directory;
  const std::string about = subject(app, failure);
  std::string text = app.name + ": " + std::string(to_string(failure.stage)) +
                     (about.empty() ? "" : " " + about) + ": " + error_text(failure.error);
  if (path && failure.error == EACCES) {
    text += obstacle(app, exec ? program(app) : app.directory, exec);
  }
  if (exec && failure.error == ENOENT && exists(app, program(app))) {
    text += ": the interpreter or loader that the file names does not exist";
  }
  if (exec && failure.error == ENOEXEC) text += ": neither a program nor a script with #!";
  return text;
}

std::string what_is_expected(const config::AppSettings& app) {
  std::string accepts =
      "a worker accepts FastCGI connections on its descriptor 0, which is a listening socket";
  if (!app.probe) return accepts;
  return accepts + ", and answers FCGI_GET_VALUES; one that cannot answer that needs probe: false";
}

}  // namespace viaduct::daemon::master
