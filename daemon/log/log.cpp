#include "daemon/log/log.hpp"

#include <syslog.h>

#include <mutex>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/sinks/systemd_sink.h>

#include "daemon/log/line_output.hpp"

namespace viaduct::daemon::log {

namespace {

/// Milliseconds that the rest of a line gets at the end.
constexpr int kLastLine = 100;

class DescriptorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  DescriptorSink(int descriptor, Format format) : output_(descriptor, 0), format_(format) {}
  DescriptorSink(const DescriptorSink&) = delete;
  DescriptorSink& operator=(const DescriptorSink&) = delete;
  // The rest of a line would otherwise be written with the next one only.
  ~DescriptorSink() override { output_.flush_for(kLastLine); }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (lost_ > 0) report_lost(message);
    lost_ += write_line(message);
  }
  void flush_() override {}

 private:
  std::uint64_t write_line(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    return output_.write({line.data(), line.size()});
  }

  void report_lost(const spdlog::details::log_msg& next) {
    constexpr std::string_view kWhat = "log lines lost: nobody read them";
    const Attributes attributes{{"lines", lost_}};
    const std::string payload = format_ == Format::json ? format_json_members(kWhat, attributes)
                                                        : format_text(kWhat, attributes);
    if (write_line({next.time, next.source, next.logger_name, spdlog::level::warn, payload}) == 0) {
      lost_ = 0;
    }
  }

  LineOutput output_;
  Format format_;
  std::uint64_t lost_ = 0;
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
  return std::make_shared<DescriptorSink>(settings.descriptor, settings.format);
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

}  // namespace viaduct::daemon::log
