#include "daemon/master/orphans.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/text_file.hpp"
#include "daemon/master/worker_environment.hpp"

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

// The beginning of it; "" when the process has ended meanwhile.
std::string read_environ(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/environ";
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(Orphans::kEnvironBytes, '\0');
  std::size_t size = 0;
  while (file && size < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  return text;
}

// What its environment says, "" if nothing; none when it has no environment: it may be executing a
// program just now.
std::optional<std::string> serial_of(pid_t pid) {
  const std::string environ = read_environ(pid);
  if (environ.empty()) return std::nullopt;
  return environment_value(environ, kSerialVariable);
}

}  // namespace

std::string environment_value(const std::string& environ, std::string_view name) {
  const std::string prefix = std::string(name) + '=';
  std::string_view rest = environ;
  for (auto end = rest.find('\0'); end != std::string_view::npos; end = rest.find('\0')) {
    const std::string_view entry = rest.substr(0, end);
    if (entry.starts_with(prefix)) return std::string(entry.substr(prefix.size()));
    rest.remove_prefix(end + 1);
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
  orphan_ended(pid);
}

void Orphans::orphan_ended(pid_t pid) {
  inherited_.erase(pid);
  serials_.erase(pid);  // another process may get its number
}

// A child that was not waited for keeps its number, so that no other process is killed.
bool Orphans::look(Clock::time_point now) {
  std::erase_if(ended_, [now](const Ended& worker) { return now - worker.when > kLately; });
  if (ended_.empty()) {
    serials_.clear();
    return false;
  }
  std::map<pid_t, std::optional<std::string>> serials;
  std::size_t reads = 0;
  bool more = false;
  for (const pid_t child : left()) {
    if (is_in_session_of_ended(child)) {
      ::kill(child, SIGKILL);
      continue;
    }
    const auto known = serials_.find(child);
    const bool may_read = reads < kReadsPerLook;
    if (known == serials_.end() && !may_read) {
      more = true;
      continue;
    }
    std::optional<std::string>& serial = serials[child];
    if (known != serials_.end()) serial = std::move(known->second);
    if (!serial && may_read) {
      ++reads;
      serial = serial_of(child);
    }
    if (serial && is_serial_of_ended(*serial)) ::kill(child, SIGKILL);
  }
  serials_ = std::move(serials);
  return more;
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

bool Orphans::is_in_session_of_ended(pid_t child) const {
  const pid_t session = ::getsid(child);
  return std::any_of(ended_.begin(), ended_.end(),
                     [session](const Ended& worker) { return worker.pid == session; });
}

bool Orphans::is_serial_of_ended(const std::string& serial) const {
  return std::any_of(ended_.begin(), ended_.end(),
                     [&serial](const Ended& worker) { return worker.serial == serial; });
}

}  // namespace viaduct::daemon::master
