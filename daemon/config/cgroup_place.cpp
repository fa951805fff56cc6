#include "daemon/config/cgroup_place.hpp"

#include <unistd.h>

#include <cerrno>
#include <optional>
#include <sstream>

#include "daemon/config/text_file.hpp"

namespace viaduct::daemon::config {
namespace {

struct Mount {
  std::string root;   // the part of the hierarchy that is mounted
  std::string point;  // where
};

CgroupPlace none(std::string problem) {
  return {{}, {}, std::move(problem)};
}

// "0::/system.slice/viaductd.service": the line of version 2.
std::optional<std::string> own_path(std::string_view cgroups) {
  std::istringstream lines{std::string(cgroups)};
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("0::")) return line.substr(3);
  return std::nullopt;
}

// "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw"
std::optional<Mount> cgroup2_mount(std::string_view mounts) {
  std::istringstream lines{std::string(mounts)};
  for (std::string line; std::getline(lines, line);) {
    const auto separator = line.find(" - ");
    if (separator == std::string::npos) continue;
    if (!line.substr(separator + 3).starts_with("cgroup2 ")) continue;
    std::istringstream fields(line);
    std::string id, parent, device;
    Mount mount;
    if (fields >> id >> parent >> device >> mount.root >> mount.point) return mount;
  }
  return std::nullopt;
}

bool is_below(std::string_view path, std::string_view root) {
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

std::string read(const std::string& path) {
  auto content = read_text_file(path);
  auto* text = std::get_if<std::string>(&content);
  return text ? std::move(*text) : std::string();
}

}  // namespace

CgroupPlace cgroup_place(std::string_view cgroups, std::string_view mounts) {
  const auto path = own_path(cgroups);
  const auto mount = cgroup2_mount(mounts);
  if (!path || !mount) return none("cgroup v2 is not mounted");
  std::string_view inner = *path;
  if (mount->root != "/") {
    if (!is_below(inner, mount->root))
      return none("the cgroup of viaductd, " + *path + ", lies outside of what is mounted at " +
                  mount->point);
    inner.remove_prefix(mount->root.size());
  }
  if (inner.starts_with("/.."))
    return none("the cgroup of viaductd lies outside of its cgroup namespace");
  const auto slash = inner.rfind('/');
  if (slash != std::string_view::npos && inner.substr(slash + 1) == kDaemonCgroup)
    inner = inner.substr(0, slash);
  CgroupPlace place;
  place.directory = mount->point + (inner == "/" ? std::string() : std::string(inner));
  return place;
}

CgroupPlace find_cgroup_place() {
  CgroupPlace place = cgroup_place(read("/proc/self/cgroup"), read("/proc/self/mountinfo"));
  if (!place.problem.empty()) return place;
  for (const char* file : {"", "/cgroup.procs", "/cgroup.subtree_control"}) {
    const std::string path = place.directory + file;
    if (::access(path.c_str(), W_OK) != 0)
      return none("the cgroup " + place.directory + " is not delegated to viaductd (" + path +
                  ": " + describe_errno(errno) + "); a systemd unit does it with Delegate=yes");
  }
  std::istringstream words(read(place.directory + "/cgroup.controllers"));
  for (std::string word; words >> word;) place.controllers.push_back(word);
  return place;
}

}  // namespace viaduct::daemon::config
