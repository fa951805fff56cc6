#include "daemon/log/line_output.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace viaduct::daemon::log {

namespace {

enum class State { taken, full, broken };

// Takes off `bytes` what was written.
State write_some(int descriptor, std::string_view& bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) return State::full;
    if (written <= 0) return State::broken;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return State::taken;
}

std::uint64_t count_lines(std::string_view bytes) {
  return static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
}

}  // namespace

LineOutput::LineOutput(int descriptor, std::size_t most) : descriptor_(descriptor), most_(most) {}

LineOutput::~LineOutput() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

std::uint64_t LineOutput::write(std::string_view lines) {
  if (!waiting_.empty()) {
    std::string_view rest = waiting_;
    const State state = write_some(descriptor_, rest);
    if (state == State::broken) {
      const std::uint64_t lost = count_lines(rest) + count_lines(lines);
      waiting_.clear();
      return lost;
    }
    waiting_.erase(0, waiting_.size() - rest.size());
    if (state == State::full) return keep(lines, false);
  }
  std::string_view rest = lines;
  const State state = write_some(descriptor_, rest);
  if (state == State::broken) return count_lines(rest);
  const bool cut = rest.size() < lines.size() && rest.data()[-1] != '\n';
  return keep(rest, cut);
}

// `cut`: the beginning of the first line has been written.
std::uint64_t LineOutput::keep(std::string_view lines, bool cut) {
  std::size_t room = most_ - std::min(most_, waiting_.size());
  if (cut) room = std::max(room, lines.find('\n') + 1);
  if (lines.size() > room) {
    const std::size_t last = room == 0 ? std::string_view::npos : lines.rfind('\n', room - 1);
    const std::size_t kept = last == std::string_view::npos ? 0 : last + 1;
    waiting_.append(lines.substr(0, kept));
    return count_lines(lines.substr(kept));
  }
  waiting_.append(lines);
  return 0;
}

void LineOutput::flush_for(int milliseconds) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(milliseconds);
  flush();
  while (waiting()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd writable{descriptor_, POLLOUT, 0};
    if (left <= 0 || ::poll(&writable, 1, static_cast<int>(left)) <= 0) return;
    flush();
  }
}

}  // namespace viaduct::daemon::log
