#include <cerrno>
#include <filesystem>

#include "daemon/config/checking.hpp"
#include "daemon/config/executable.hpp"
#include "daemon/config/text_file.hpp"

namespace viaduct::daemon::config {

void check_crash_dirs(const Checking& check) {
  const Account own = check.system.own_account();
  for (const AppSettings& app : check.settings.apps) {
    if (app.crash_dir.empty()) continue;
    const bool exists = check.system.status(app.crash_dir).error != ENOENT;
    const std::string parent = std::filesystem::path(app.crash_dir).parent_path();
    if (check.is_led_astray(app_path(app) + ".crash_dir", exists ? app.crash_dir : parent))
      continue;
    const Access access = writable_by(check.system, own, exists ? app.crash_dir : parent);
    if (access.error == 0) continue;
    const std::string because = access.because.empty() ? "" : ": " + access.because;
    check.unusable(app_path(app) + ".crash_dir", access.error,
                   app.crash_dir + ": " + describe_errno(access.error) + because);
  }
}

}  // namespace viaduct::daemon::config
