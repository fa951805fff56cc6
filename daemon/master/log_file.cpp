#include "daemon/master/log_file.hpp"

#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace viaduct::daemon::master {

namespace {

bool is_regular(int file) {
  struct stat status {};
  return ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

struct LogFile::Open {
  explicit Open(UniqueFd opened) : file(std::move(opened)), waits(!is_regular(file.get())) {}

  // Returns what was not taken.
  std::string_view write(std::string_view bytes) {
    while (!bytes.empty()) {
      // A pipe that is ready takes so much without waiting.
      std::size_t most = bytes.size();
      if (waits && !ready()) return bytes;
      if (waits) most = std::min<std::size_t>(most, PIPE_BUF);
      const ssize_t written = ::write(file.get(), bytes.data(), most);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return bytes;
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return bytes;
  }

  bool ready() {
    pollfd writable{file.get(), POLLOUT, 0};
    const int count = ::poll(&writable, 1, stuck ? 0 : kPatienceMilliseconds);
    stuck = count == 0;
    return count > 0;
  }

  UniqueFd file;
  bool waits;          // where a file takes as long as it takes
  bool stuck = false;  // it took nothing for as long as is waited
  bool cut = false;    // the last line that was written lacks its end
};

LogFile::LogFile(UniqueFd file) : open_(std::make_shared<Open>(std::move(file))) {}

void LogFile::replace(UniqueFd file) {
  auto other = std::make_shared<Open>(std::move(file));
  const std::lock_guard lock(mutex_);
  open_.swap(other);
}

std::shared_ptr<LogFile::Open> LogFile::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

void LogFile::write(std::string_view lines) {
  const auto to = open();
  std::string text;
  if (to->cut) text = "\n";
  text += lines;
  const std::string_view rest = to->write(text);
  if (rest.size() < text.size()) to->cut = text[text.size() - rest.size() - 1] != '\n';
  if (rest.empty()) return;
  const auto count = [](std::string_view of) { return std::count(of.begin(), of.end(), '\n'); };
  const std::lock_guard lock(mutex_);
  lost_ += static_cast<std::uint64_t>(std::min(count(rest), count(lines)));
}

std::uint64_t LogFile::take_lost() {
  const std::lock_guard lock(mutex_);
  return std::exchange(lost_, 0);
}

}  // namespace viaduct::daemon::master
