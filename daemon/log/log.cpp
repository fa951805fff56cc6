#include "daemon/log/log.hpp"

#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/sinks/systemd_sink.h>

namespace viaduct::daemon::log {

namespace {

class DescriptorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit DescriptorSink(int descriptor) : descriptor_(descriptor) {}
  ~DescriptorSink() override { close_owned(descriptor_); }

  void replace(int descriptor) {
    const std::lock_guard lock(mutex_);
    close_owned(std::exchange(descriptor_, descriptor));
  }

  static void close_owned(int descriptor) {
    if (descriptor > STDERR_FILENO) ::close(descriptor);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::string_view rest(line.data(), line.size());
    while (!rest.empty()) {
      const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return;
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  void flush_() override {}

 private:
  int descriptor_;
};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

const char* pattern(const Settings& settings) {
  if (settings.format == Format::json) {
    return R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})";
  }
  if (settings.sink != Sink::descriptor) return "%v";
  return "%Y-%m-%dT%H:%M:%S.%e%z %l %v";
}

std::shared_ptr<spdlog::sinks::sink> make_sink(const Settings& settings) {
  switch (settings.sink) {
    case Sink::journal:
      return std::make_shared<spdlog::sinks::systemd_sink_mt>(settings.name, true);
    case Sink::syslog:
      return std::make_shared<spdlog::sinks::syslog_sink_mt>(settings.name, LOG_PID, LOG_DAEMON,
                                                             true);
    case Sink::descriptor:
      break;
  }
  return std::make_shared<DescriptorSink>(settings.descriptor);
}

// The journal and syslog end their lines themselves.
const char* line_end(const Settings& settings) {
  return settings.sink == Sink::descriptor ? "\n" : "";
}

}  // namespace

struct Log::State {
  explicit State(const Settings& settings)
      : format(settings.format), sink(make_sink(settings)), logger(settings.name, sink) {
    sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        pattern(settings), spdlog::pattern_time_type::local, line_end(settings)));
    logger.set_level(to_spdlog(settings.level));
    logger.set_error_handler([](const std::string&) {});
  }

  Format format;
  std::shared_ptr<spdlog::sinks::sink> sink;
  spdlog::logger logger;
};

Log::Log(const Settings& settings) : state_(std::make_unique<State>(settings)) {}
Log::~Log() = default;

bool Log::enabled(Level level) const noexcept {
  return state_->logger.should_log(to_spdlog(level));
}

void Log::write(Level level, std::string_view message, Attributes attributes) const noexcept {
  if (!enabled(level)) return;
  try {
    const std::string line = state_->format == Format::json
                                 ? format_json_members(message, attributes)
                                 : format_text(message, attributes);
    state_->logger.log(to_spdlog(level), spdlog::string_view_t(line));
  } catch (...) {
    // Out of memory: the line is lost, the daemon goes on.
  }
}

void Log::replace_descriptor(int descriptor) noexcept {
  if (auto* sink = dynamic_cast<DescriptorSink*>(state_->sink.get())) {
    sink->replace(descriptor);
  } else {
    DescriptorSink::close_owned(descriptor);
  }
}

}  // namespace viaduct::daemon::log
