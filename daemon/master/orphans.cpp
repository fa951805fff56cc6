#include "daemon/master/orphans.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <thread>
#include <utility>
#include <variant>

#include "daemon/config/text_file.hpp"

namespace viaduct::daemon::master {

namespace {

constexpr std::size_t kRemembered = 64;
// For so long after its worker an orphan is looked for.
constexpr std::chrono::seconds kLately{10};
constexpr std::chrono::seconds kEnding{1};
constexpr std::chrono::milliseconds kPause{1};

// "" when there is no such file, or the process has ended meanwhile.
std::string read(const std::string& path) {
  auto content = config::read_text_file(path);
  auto* const text = std::get_if<std::string>(&content);
  return text != nullptr ? std::move(*text) : std::string();
}

std::vector<pid_t> children() {
  const std::string self = std::to_string(::getpid());
  std::istringstream text(read("/proc/self/task/" + self + "/children"));
  return {std::istream_iterator<pid_t>(text), {}};
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

Orphans::Orphans(Expected expected) : expected_(std::move(expected)) {
  const auto before = children();
  inherited_.insert(before.begin(), before.end());
}

void Orphans::worker_ended(pid_t pid, std::uint64_t serial, Clock::time_point now) {
  if (ended_.size() == kRemembered) ended_.pop_front();
  ended_.push_back({pid, std::to_string(serial), now});
  orphan_ended(pid, now);
}

void Orphans::orphan_ended(pid_t pid, Clock::time_point now) {
  inherited_.erase(pid);
  std::erase_if(ended_, [now](const Ended& worker) { return now - worker.when > kLately; });
  if (!ended_.empty()) look();
}

// A child that was not waited for keeps its number, so that no other process is killed.
void Orphans::look() const {
  for (const pid_t child : left()) {
    if (belongs_to_ended(child)) ::kill(child, SIGKILL);
  }
}

std::vector<pid_t> Orphans::left() const {
  auto found = children();
  std::erase_if(found,
                [this](pid_t child) { return expected_(child) || inherited_.contains(child); });
  return found;
}

// What an orphan has started is a child of this process when the orphan has ended.
void Orphans::end() {
  const auto until = Clock::now() + kEnding;
  for (auto orphans = left(); !orphans.empty() && Clock::now() < until; orphans = left()) {
    for (const pid_t orphan : orphans) {
      ::kill(orphan, SIGKILL);
      ::waitpid(orphan, nullptr, WNOHANG);
    }
    std::this_thread::sleep_for(kPause);
  }
}

bool Orphans::belongs_to_ended(pid_t child) const {
  const pid_t session = ::getsid(child);
  const std::string serial = environment_value(read("/proc/" + std::to_string(child) + "/environ"),
                                               "VIADUCT_WORKER_SERIAL");
  return std::any_of(ended_.begin(), ended_.end(), [&](const Ended& worker) {
    return worker.pid == session || worker.serial == serial;
  });
}

}  // namespace viaduct::daemon::master
