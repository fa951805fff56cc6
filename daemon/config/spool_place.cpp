#include "daemon/config/spool_place.hpp"

#include "daemon/config/checking.hpp"
#include "daemon/config/executable.hpp"
#include "daemon/config/text_file.hpp"

namespace viaduct::daemon::config {

SpoolPlace spool_place(const Settings& settings, const System& system) {
  std::string directory = settings.bridge.spool;
  if (directory.empty()) directory = system.environment("TMPDIR").value_or("");
  if (directory.empty()) directory = "/tmp";
  const bool in_memory = system.in_memory(directory);
  return {std::move(directory), in_memory};
}

void check_spool(const Checking& check) {
  const SpoolPlace place = spool_place(check.settings, check.system);
  if (!check.settings.bridge.spool.empty()) {
    const Access access =
        writable_by(check.system, check.settings.bridge.identity.account, place.directory);
    if (access.error != 0) {
      const std::string because = access.because.empty() ? "" : ": " + access.because;
      check.unusable("bridge.spool", access.error,
                     place.directory + ": " + describe_errno(access.error) + because);
    }
  }
  if (place.in_memory) {
    check.warning("bridge.spool", place.directory +
                                      " is in memory (tmpfs): temporary files, up to "
                                      "limits.spool, count as memory");
  }
}

}  // namespace viaduct::daemon::config
