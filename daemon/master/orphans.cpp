#include "daemon/master/orphans.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <utility>
#include <variant>

#include "daemon/config/text_file.hpp"

namespace viaduct::daemon::master {

namespace {

constexpr std::size_t kRemembered = 64;
// For so long after its worker an orphan is looked for. A worker of the same place has the same
// name: what that one leaves later is its own affair.
constexpr std::chrono::seconds kLately{10};

// "" when there is no such file, or the process has ended meanwhile.
std::string read(const std::string& path) {
  auto content = config::read_text_file(path);
  auto* const text = std::get_if<std::string>(&content);
  return text != nullptr ? std::move(*text) : std::string();
}

}  // namespace

std::string environment_value(const std::string& environ, const std::string& name) {
  std::istringstream entries(environ);
  const std::string prefix = name + '=';
  for (std::string entry; std::getline(entries, entry, '\0');) {
    if (entry.starts_with(prefix)) return entry.substr(prefix.size());
  }
  return {};
}

void Orphans::adopt() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void Orphans::worker_ended(pid_t pid, std::string name, Clock::time_point now) {
  if (ended_.size() == kRemembered) ended_.pop_front();
  ended_.push_back({pid, std::move(name), now});
  orphan_ended(now);
}

void Orphans::orphan_ended(Clock::time_point now) {
  std::erase_if(ended_, [now](const Ended& worker) { return now - worker.when > kLately; });
  if (!ended_.empty()) look();
}

// A child that was not waited for keeps its number, so that no other process is killed.
void Orphans::look() const {
  const std::string self = std::to_string(::getpid());
  std::istringstream children(read("/proc/self/task/" + self + "/children"));
  for (pid_t child = 0; children >> child;) {
    if (!expected_(child) && belongs_to_ended(child)) ::kill(child, SIGKILL);
  }
}

bool Orphans::belongs_to_ended(pid_t child) const {
  const pid_t session = ::getsid(child);
  const std::string name =
      environment_value(read("/proc/" + std::to_string(child) + "/environ"), "VIADUCT_WORKER");
  return std::any_of(ended_.begin(), ended_.end(), [&](const Ended& worker) {
    return worker.pid == session || (!name.empty() && worker.name == name);
  });
}

}  // namespace viaduct::daemon::master
