#include <linux/capability.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "daemon/config/checking.hpp"
#include "daemon/config/text_file.hpp"

namespace viaduct::daemon::config {
namespace {

constexpr std::uint64_t kMinMemory = 1 << 20;  // less kills any program before main()
constexpr std::uint32_t kMinFiles = 16;

// The isolation of one app against what the system gives.
class IsolationCheck {
 public:
  IsolationCheck(const Checking& check, AppSettings& app)
      : check_(check), app_(app), wanted_(app.isolation), probe_(check.system.isolation()) {}

  void run() {
    mistakes();
    root();
    priority();
    cpus();
    mounts();
    capabilities();
    limits();
    cgroup();
  }

 private:
  std::string path(std::string_view key) const {
    return app_path(app_) + ".isolation." + std::string(key);
  }

  void mistake(std::string_view key, const std::string& message) {
    check_.error(path(key), message);
  }

  // `leave_out` sets the key back to what changes nothing.
  template <class LeaveOut>
  void unavailable(std::string_view key, const std::string& reason, LeaveOut leave_out) {
    if (check_.purpose == Purpose::check)
      return check_.warning(path(key), "not available to this process: " + reason);
    if (!wanted_.optional) return check_.error(path(key), "not available: " + reason);
    check_.warning(path(key), "not available, left out: " + reason);
    leave_out();
  }

  // "chroot: Operation not permitted (EPERM): viaductd lacks CAP_SYS_CHROOT"
  std::string refused(const std::string& step, int error, int capability) const {
    std::string text = step + ": " + describe_errno(error);
    if (error != EPERM && error != EACCES) return text;
    const std::string name(capability_name(capability));
    return text + (probe_.holds_capability(capability)
                       ? ": forbidden although viaductd has " + name +
                             ", by its service manager, container or security module"
                       : ": viaductd lacks " + name);
  }

  void mistakes() {
    if (wanted_.memory != 0 && wanted_.memory < kMinMemory)
      mistake("memory", "expected at least 1MiB, or 0 for no limit");
    if (wanted_.nofile != 0 && wanted_.nofile < kMinFiles)
      mistake("nofile", "expected at least " + std::to_string(kMinFiles) +
                            ", or 0 for the limit of viaductd");
  }

  // Of a file as the worker will see it.
  FileStatus status(const std::string& file) const {
    return wanted_.chroot.empty() ? check_.system.status(file)
                                  : check_.system.status_in(wanted_.chroot, file);
  }

  void root() {
    if (wanted_.chroot.empty()) return;
    const FileStatus directory = check_.system.status(wanted_.chroot);
    if (directory.error == 0 && !S_ISDIR(directory.mode))
      return mistake("chroot", wanted_.chroot + " is not a directory");
    if (directory.error != 0 && directory.error != EACCES)
      return mistake("chroot", wanted_.chroot + ": " + describe_errno(directory.error));
    if (const int error = probe_.change_root(wanted_.chroot))
      unavailable("chroot", refused("chroot " + wanted_.chroot, error, CAP_SYS_CHROOT),
                  [&] { wanted_.chroot.clear(); });
    if (!wanted_.chroot.empty() && !check_.written(app_path(app_) + ".directory"))
      app_.directory = "/";
  }

  void priority() {
    if (wanted_.nice == 0) return;
    if (const int error = probe_.set_nice(wanted_.nice))
      unavailable("nice", refused("nice " + std::to_string(wanted_.nice), error, CAP_SYS_NICE),
                  [&] { wanted_.nice = 0; });
  }

  void cpus() {
    if (wanted_.cpus.empty()) return;
    const std::vector<std::uint32_t> usable = probe_.usable_cpus();
    for (const std::uint32_t cpu : wanted_.cpus) {
      if (std::find(usable.begin(), usable.end(), cpu) != usable.end()) continue;
      return unavailable("cpus", "viaductd may not use CPU " + std::to_string(cpu),
                         [&] { wanted_.cpus.clear(); });
    }
  }

  void mounts() {
    for (std::size_t index = 0; index < wanted_.read_only.size(); ++index) {
      const int error = status(wanted_.read_only[index]).error;
      if (error != 0 && error != EACCES)
        mistake("read_only[" + std::to_string(index) + ']',
                wanted_.read_only[index] + ": " + describe_errno(error));
    }
    if (!needs_mounts(wanted_)) return;
    const int error = probe_.mount();
    if (error == 0) return;
    const std::string reason = refused("mount namespace", error, CAP_SYS_ADMIN);
    if (wanted_.private_tmp)
      unavailable("private_tmp", reason, [&] { wanted_.private_tmp = false; });
    if (!wanted_.read_only.empty())
      unavailable("read_only", reason, [&] { wanted_.read_only.clear(); });
  }

  void capabilities() {
    if (!wanted_.capabilities) return;
    if (const int error = probe_.drop_capabilities())
      return unavailable("capabilities", refused("drop capabilities", error, CAP_SETPCAP),
                         [&] { wanted_.capabilities.reset(); });
    for (const int number : *wanted_.capabilities) {
      if (probe_.holds_capability(number)) continue;
      return unavailable("capabilities",
                         "viaductd itself lacks " + std::string(capability_name(number)),
                         [&] { wanted_.capabilities.reset(); });
    }
  }

  void limits() {
    if (wanted_.nofile != 0)
      if (const int error = probe_.limit_files(wanted_.nofile))
        unavailable(
            "nofile",
            "more than fs.nr_open or the hard limit of viaductd (" + describe_errno(error) + ")",
            [&] { wanted_.nofile = 0; });
    if (wanted_.core)
      if (const int error = probe_.limit_core(*wanted_.core))
        unavailable("core", "more than the hard limit of viaductd (" + describe_errno(error) + ")",
                    [&] { wanted_.core.reset(); });
  }

  void cgroup() {
    if (!needs_cgroup(wanted_)) return;
    const CgroupPlace place = probe_.cgroup();
    for (const std::string& controller : controllers(wanted_)) {
      std::string reason = place.problem;
      if (reason.empty() && std::find(place.controllers.begin(), place.controllers.end(),
                                      controller) == place.controllers.end())
        reason = "no such controller in " + place.directory + "/cgroup.controllers";
      if (reason.empty()) continue;
      unavailable(controller, reason, [&] {
        if (controller == "memory") wanted_.memory = 0;
        if (controller == "cpu") wanted_.cpu = 0;
        if (controller == "pids") wanted_.pids = 0;
      });
    }
  }

  const Checking& check_;
  AppSettings& app_;
  Isolation& wanted_;
  const IsolationProbe& probe_;
};

}  // namespace

void check_isolation(const Checking& check) {
  for (AppSettings& app : check.settings.apps) IsolationCheck(check, app).run();
}

}  // namespace viaduct::daemon::config
