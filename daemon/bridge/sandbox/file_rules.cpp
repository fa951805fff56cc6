#include "daemon/bridge/sandbox/file_rules.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::bridge {

namespace {

constexpr std::uint64_t kReading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kFiles = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
constexpr std::uint64_t kSpooling =
    kFiles | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE;
// All of the first version, bits 0 to 12; later ones added one each.
constexpr std::uint64_t kFirstVersion = (1ULL << 13) - 1;
constexpr std::uint64_t kRefer = 1ULL << 13;
constexpr std::uint64_t kTruncate = 1ULL << 14;

std::error_code last_error() {
  return {errno, std::generic_category()};
}

// Rules are made for what is there: nothing can be done below the rest.
std::error_code allow(int rules, const std::string& path, std::uint64_t access) {
  const UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!place) return errno == ENOENT || errno == EACCES ? std::error_code() : last_error();
  landlock_path_beneath_attr rule{};
  rule.allowed_access = access;
  rule.parent_fd = place.get();
  const long result = ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  return result == 0 ? std::error_code() : last_error();
}

// Often a link to a directory below /run.
std::string directory_of_resolv_conf() {
  std::error_code error;
  const auto file = std::filesystem::canonical("/etc/resolv.conf", error);
  return error ? "/etc" : file.parent_path().string();
}

}  // namespace

std::error_code restrict_files(const std::string& spool) {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 0) return last_error();
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = kFirstVersion;
  if (version >= 2) attributes.handled_access_fs |= kRefer;
  if (version >= 3) attributes.handled_access_fs |= kTruncate;
  const UniqueFd rules(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (!rules) return last_error();
  // The services that make resolv.conf have it in one of three: it may become a link there later.
  const std::pair<std::string, std::uint64_t> places[] = {{spool, kSpooling},
                                                          {"/etc", kReading},
                                                          {directory_of_resolv_conf(), kReading},
                                                          {"/run/systemd/resolve", kReading},
                                                          {"/run/resolvconf", kReading},
                                                          {"/run/NetworkManager", kReading},
                                                          {"/usr/share/zoneinfo", kReading},
                                                          {"/dev/null", kFiles}};
  for (const auto& [path, access] : places) {
    if (const auto error = allow(rules.get(), path, access)) return error;
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return last_error();
  if (::syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0) return last_error();
  return {};
}

}  // namespace viaduct::daemon::bridge
