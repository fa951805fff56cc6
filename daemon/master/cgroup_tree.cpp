#include "daemon/master/cgroup_tree.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include "daemon/master/exit_text.hpp"

namespace viaduct::daemon::master {

namespace {

constexpr std::chrono::seconds kLeaving{1};
constexpr std::uint64_t kPeriod = 100'000;  // microseconds of cpu.max, the kernel's default

[[noreturn]] void fail(const std::string& path, int error) {
  throw CgroupError("cgroup: " + path + ": " + error_text(error));
}

int try_write(const std::string& path, const std::string& text) noexcept {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return errno;
  return ::write(file.get(), text.data(), text.size()) < 0 ? errno : 0;
}

void write(const std::string& path, const std::string& text) {
  if (const int error = try_write(path, text)) fail(path, error);
}

std::vector<pid_t> processes(const std::string& cgroup) {
  std::vector<pid_t> result;
  std::ifstream file(cgroup + "/cgroup.procs");
  for (pid_t pid; file >> pid;) result.push_back(pid);
  return result;
}

// 0 when it has ended.
pid_t parent_of(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    pid_t parent = 0;
    if (word == "PPid:" && status >> parent) return parent;
  }
  return 0;
}

bool descends_from_us(pid_t pid) {
  const pid_t self = ::getpid();
  while (pid > 1 && pid != self) pid = parent_of(pid);
  return pid == self;
}

// Until no process is in it, or `end`.
void wait_until_empty(const std::string& cgroup, std::chrono::steady_clock::time_point end) {
  const UniqueFd events(::open((cgroup + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
  char text[256];
  while (events) {
    const ssize_t size = ::pread(events.get(), text, sizeof text, 0);
    if (size <= 0) return;
    const std::string_view seen(text, static_cast<std::size_t>(size));
    if (seen.find("populated 1") == std::string_view::npos) return;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd change{events.get(), POLLPRI, 0};
    if (left.count() <= 0) return;
    // SIGCHLD of what was killed interrupts it.
    const int result = ::poll(&change, 1, static_cast<int>(left.count()));
    if (result == 0 || (result < 0 && errno != EINTR)) return;
  }
}

// Nothing can run in a threaded cgroup but threads of its parent's processes. Absent in tests.
bool takes_processes(const std::string& cgroup) {
  std::string type;
  std::ifstream file(cgroup + "/cgroup.type");
  return !std::getline(file, type) || type == "domain";
}

// The root of the whole hierarchy is the one that may have processes and children.
bool is_root(const std::string& cgroup) {
  return ::access((cgroup + "/cgroup.type").c_str(), F_OK) != 0;
}

}  // namespace

CgroupValues cgroup_values(const config::Isolation& isolation) {
  CgroupValues values;
  if (isolation.memory != 0) {
    values.emplace_back("memory.max", std::to_string(isolation.memory));
    // Half a worker is of no use: out of memory, all its processes end.
    values.emplace_back("memory.oom.group", "1");
  }
  if (isolation.cpu != 0) {
    values.emplace_back(
        "cpu.max", std::to_string(isolation.cpu * (kPeriod / 100)) + ' ' + std::to_string(kPeriod));
  }
  if (isolation.pids != 0) values.emplace_back("pids.max", std::to_string(isolation.pids));
  return values;
}

std::string cgroup_name(const std::string& app, pid_t master, std::uint64_t serial) {
  return app + '.' + std::to_string(master) + '.' + std::to_string(serial);
}

std::optional<pid_t> master_in(const std::string& name) {
  std::istringstream text(name);
  std::string app;
  pid_t master = 0;
  char dot = 0;
  std::uint64_t serial = 0;
  const bool matches = std::getline(text, app, '.') && text >> master >> dot >> serial;
  if (!matches || cgroup_name(app, master, serial) != name) return std::nullopt;
  return master;
}

CgroupTree::CgroupTree(config::CgroupPlace place) : place_(std::move(place)) {}

CgroupTree::~CgroupTree() {
  const auto end = std::chrono::steady_clock::now() + kLeaving;
  for (const std::string& name : ended_) wait_until_empty(path(name), end);
  sweep();
}

void CgroupTree::enable(const std::vector<std::string>& controllers) {
  if (!place_.problem.empty()) throw CgroupError(place_.problem);
  std::string text;
  for (const std::string& controller : controllers) text += '+' + controller + ' ';
  if (!is_root(place_.directory)) empty_place();
  write(place_.directory + "/cgroup.subtree_control", text);
}

void CgroupTree::remove_abandoned() noexcept {
  if (!available()) return;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(place_.directory, ignored)) {
    const auto master = master_in(entry.path().filename().string());
    const bool gone = master && ::kill(*master, 0) != 0 && errno == ESRCH;
    if (gone) ::rmdir(entry.path().c_str());
  }
}

// Some controllers could be handed down nevertheless, but then no process could enter a child.
void CgroupTree::empty_place() {
  move_own_processes();
  const std::size_t strangers = processes(place_.directory).size();
  if (strangers == 0) return;
  throw CgroupError("cgroup: " + place_.directory +
                    " holds other processes than those of viaductd (" + std::to_string(strangers) +
                    "), to which alone it has to be delegated");
}

void CgroupTree::move_own_processes() {
  const std::string own = path(std::string(config::kDaemonCgroup));
  if (::mkdir(own.c_str(), 0755) != 0 && errno != EEXIST) fail(own, errno);
  for (const pid_t pid : processes(place_.directory)) {
    if (!descends_from_us(pid)) continue;
    const int error = try_write(own + "/cgroup.procs", std::to_string(pid));
    if (error != 0 && error != ESRCH) fail(own + "/cgroup.procs", error);
  }
}

UniqueFd CgroupTree::create(const std::string& name, const CgroupValues& values) {
  sweep();
  if (!place_.problem.empty()) throw CgroupError(place_.problem);
  const std::string cgroup = path(name);
  if (::mkdir(cgroup.c_str(), 0755) != 0) fail(cgroup, errno);
  try {
    if (!takes_processes(cgroup)) fail(cgroup, EOPNOTSUPP);
    for (const auto& [file, text] : values)
      write(std::string(cgroup).append("/").append(file), text);
    const std::string members = cgroup + "/cgroup.procs";
    UniqueFd procs(::open(members.c_str(), O_WRONLY | O_CLOEXEC));
    if (!procs) fail(members, errno);
    return procs;
  } catch (...) {
    remove(name);
    throw;
  }
}

void CgroupTree::remove(const std::string& name) noexcept {
  kill_all(name);
  ended_.push_back(name);
  sweep();
}

bool CgroupTree::remove_empty(const std::string& name) noexcept {
  return ::rmdir(path(name).c_str()) == 0 || errno != EBUSY;
}

// Kernels before 5.14 have no cgroup.kill. What is forked meanwhile is killed by the next sweep.
void CgroupTree::kill_all(const std::string& name) const noexcept {
  if (try_write(path(name) + "/cgroup.kill", "1") != ENOENT) return;
  for (const pid_t pid : processes(path(name))) ::kill(pid, SIGKILL);
}

void CgroupTree::sweep() noexcept {
  std::erase_if(ended_, [this](const std::string& name) {
    if (remove_empty(name)) return true;
    kill_all(name);
    return false;
  });
}

}  // namespace viaduct::daemon::master
