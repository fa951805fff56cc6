#include "daemon/config/isolation.hpp"

#include <algorithm>

namespace viaduct::daemon::config {

bool needs_mounts(const Isolation& isolation) {
  return isolation.private_tmp || !isolation.read_only.empty();
}

bool needs_cgroup(const Isolation& isolation) {
  return isolation.memory != 0 || isolation.cpu != 0 || isolation.pids != 0;
}

std::vector<std::string> controllers(const Isolation& isolation) {
  std::vector<std::string> result;
  if (isolation.memory != 0) result.emplace_back("memory");
  if (isolation.cpu != 0) result.emplace_back("cpu");
  if (isolation.pids != 0) result.emplace_back("pids");
  return result;
}

const std::vector<std::string_view>& capability_names() {
  // The order is that of the numbers in linux/capability.h.
  static const std::vector<std::string_view> names = {"CAP_CHOWN",
                                                      "CAP_DAC_OVERRIDE",
                                                      "CAP_DAC_READ_SEARCH",
                                                      "CAP_FOWNER",
                                                      "CAP_FSETID",
                                                      "CAP_KILL",
                                                      "CAP_SETGID",
                                                      "CAP_SETUID",
                                                      "CAP_SETPCAP",
                                                      "CAP_LINUX_IMMUTABLE",
                                                      "CAP_NET_BIND_SERVICE",
                                                      "CAP_NET_BROADCAST",
                                                      "CAP_NET_ADMIN",
                                                      "CAP_NET_RAW",
                                                      "CAP_IPC_LOCK",
                                                      "CAP_IPC_OWNER",
                                                      "CAP_SYS_MODULE",
                                                      "CAP_SYS_RAWIO",
                                                      "CAP_SYS_CHROOT",
                                                      "CAP_SYS_PTRACE",
                                                      "CAP_SYS_PACCT",
                                                      "CAP_SYS_ADMIN",
                                                      "CAP_SYS_BOOT",
                                                      "CAP_SYS_NICE",
                                                      "CAP_SYS_RESOURCE",
                                                      "CAP_SYS_TIME",
                                                      "CAP_SYS_TTY_CONFIG",
                                                      "CAP_MKNOD",
                                                      "CAP_LEASE",
                                                      "CAP_AUDIT_WRITE",
                                                      "CAP_AUDIT_CONTROL",
                                                      "CAP_SETFCAP",
                                                      "CAP_MAC_OVERRIDE",
                                                      "CAP_MAC_ADMIN",
                                                      "CAP_SYSLOG",
                                                      "CAP_WAKE_ALARM",
                                                      "CAP_BLOCK_SUSPEND",
                                                      "CAP_AUDIT_READ",
                                                      "CAP_PERFMON",
                                                      "CAP_BPF",
                                                      "CAP_CHECKPOINT_RESTORE"};
  return names;
}

std::optional<int> capability_number(std::string_view name) {
  const auto& names = capability_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<int>(found - names.begin());
}

std::string_view capability_name(int number) {
  const auto& names = capability_names();
  const bool known = number >= 0 && static_cast<std::size_t>(number) < names.size();
  return known ? names[static_cast<std::size_t>(number)] : std::string_view();
}

}  // namespace viaduct::daemon::config
