#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <mutex>
#include <vector>

#include "sdk/src/guard.hpp"
#include "sdk/src/log_output.hpp"
#include "sdk/src/request_state.hpp"
#include "sdk/src/runtime/context.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

std::atomic<const LogSink*> active_sink{nullptr};
std::mutex redirections_mutex;
std::vector<const LogRedirection*> redirections;  // the latest last

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warning";
    case Level::error:
      return "error";
  }
  return "info";
}

void write_to_errors(Level level, std::string_view line) {
  // One write, so that lines of several threads do not mix. A log that cannot be written is lost.
  const std::string out = std::string(name_of(level)) + ": " + std::string(line) + '\n';
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, out.data(), out.size());
}

void write_line(const LogSink* sink, Level level, std::string_view line) {
  if (sink == nullptr) return write_to_errors(level, line);
  guard([&] { (*sink)(level, line); },
        [&](const std::exception_ptr& error) {
          write_to_errors(level, line);
          write_to_errors(Level::error, one_line("log_sink: " + describe_exception(error)));
        });
}

}  // namespace

LogRedirection::LogRedirection(const LogSink& sink) : sink_(sink ? &sink : nullptr) {
  const std::lock_guard lock(redirections_mutex);
  redirections.push_back(this);
  active_sink = sink_;
}

// Not always the last one made: those of two apps end in any order.
LogRedirection::~LogRedirection() {
  const std::lock_guard lock(redirections_mutex);
  std::erase(redirections, this);
  active_sink = redirections.empty() ? nullptr : redirections.back()->sink_;
}

void LogRedirection::pass_on(Level level, std::string_view line) const {
  const LogSink* previous = nullptr;
  {
    const std::lock_guard lock(redirections_mutex);
    const auto own = std::find(redirections.begin(), redirections.end(), this);
    if (own != redirections.begin()) previous = (*std::prev(own))->sink_;
  }
  write_line(previous, level, line);
}

std::string one_line(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string line;
  line.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (c == '\t') {
      line += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      line += "\\x";
      line += kDigits[byte >> 4];
      line += kDigits[byte & 15];
    } else {
      line += c;
    }
  }
  return line;
}

void write_log(Level level, std::string_view text) {
  RequestState* const request = Context::current_request();
  write_log(level, request != nullptr ? std::string_view(request->id()) : std::string_view(), text);
}

void write_log(Level level, std::string_view request_id, std::string_view text) {
  std::string line;
  if (!request_id.empty()) line.append("[").append(request_id).append("] ");
  line += one_line(text);
  write_line(active_sink, level, line);
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
