#include "daemon/master/spawn_stage.hpp"

namespace viaduct::daemon::master {

std::string_view to_string(SpawnStage stage) {
  switch (stage) {
    case SpawnStage::session:
      return "setsid";
    case SpawnStage::cgroup:
      return "enter cgroup";
    case SpawnStage::descriptors:
      return "descriptors";
    case SpawnStage::open_files:
      return "limit open files";
    case SpawnStage::core:
      return "limit core files";
    case SpawnStage::nice:
      return "set nice value";
    case SpawnStage::cpus:
      return "set CPU affinity";
    case SpawnStage::mounts:
      return "mount namespace";
    case SpawnStage::chroot:
      return "chroot";
    case SpawnStage::read_only:
      return "mount read-only";
    case SpawnStage::private_tmp:
      return "mount private /tmp";
    case SpawnStage::capabilities:
      return "drop capabilities";
    case SpawnStage::groups:
      return "set groups";
    case SpawnStage::group:
      return "set group";
    case SpawnStage::user:
      return "set user";
    case SpawnStage::ambient:
      return "keep capabilities";
    case SpawnStage::privileges:
      return "restrict privileges";
    case SpawnStage::directory:
      return "chdir";
    case SpawnStage::exec:
      return "exec";
  }
  return "?";
}

}  // namespace viaduct::daemon::master
