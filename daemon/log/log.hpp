#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace spdlog {
class logger;
}

/// The daemon's own log, in the master and in the bridge alike.
///
///   Log log({.level = Level::info, .format = Format::json, .sink = Sink::descriptor});
///   log.warning("worker ended", {{"app", "shop"}, {"worker", "shop/1"}, {"pid", 812}});
///
///   text   2026-03-01T12:00:00.123+01:00 warning worker ended app=shop worker=shop/1 pid=812
///   json   {"time":"2026-03-01T12:00:00.123+01:00","level":"warning","message":"worker ended",
///           "app":"shop","worker":"shop/1","pid":812}
///
/// One call is one line and, on a descriptor, one write(2): lines of several processes on one file
/// do not mix. Whatever a peer sent may be passed as message or value: control characters, invalid
/// UTF-8 and line ends are escaped, so nobody can forge a line.
namespace viaduct::daemon::log {

enum class Level : std::uint8_t { debug, info, warning, error };
enum class Format : std::uint8_t { text, json };

enum class Sink : std::uint8_t {
  descriptor,  ///< a file, a pipe, or standard error
  journal,     ///< systemd's journal; text without time and level, PRIORITY is set
  syslog,      ///< syslog(3), facility daemon; likewise
};

struct Settings {
  Level level = Level::info;  ///< lines below it are dropped
  Format format = Format::text;
  Sink sink = Sink::descriptor;
  int descriptor = 2;  ///< Sink::descriptor only; owned by the Log from then on, except 2
  std::string name = "viaductd";  ///< identifier in journal and syslog
};

/// `key=value` in text, a member in JSON. Names are literals of the program: letters, digits, '_'.
/// Borrowed for the duration of the call.
class Attribute {
 public:
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  Attribute(std::string_view attribute, const char* text)
      : name(attribute), value(std::string_view(text)) {}
  Attribute(std::string_view attribute, std::string_view text) : name(attribute), value(text) {}
  Attribute(std::string_view attribute, const std::string& text)
      : name(attribute), value(std::string_view(text)) {}
  Attribute(std::string_view attribute, bool flag) : name(attribute), value(flag) {}
  Attribute(std::string_view attribute, double number) : name(attribute), value(number) {}
  template <class Integer>
  requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
      Attribute(std::string_view attribute, Integer number)
      : name(attribute) {
    if constexpr (std::is_signed_v<Integer>) {
      value = static_cast<std::int64_t>(number);
    } else {
      value = static_cast<std::uint64_t>(number);
    }
  }

  std::string_view name;
  Value value;
};

using Attributes = std::initializer_list<Attribute>;

/// May be used from any thread. Never throws after construction: a line that cannot be written
/// (full disk, closed pipe, a non-blocking pipe that is full) is lost; how many were is said before
/// the next one that can be.
class Log {
 public:
  /// Throws std::exception when the sink cannot be opened.
  explicit Log(const Settings& settings);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Whether a line of this level would be written: ask before building expensive attributes.
  bool enabled(Level level) const noexcept;

  void write(Level level, std::string_view message, Attributes attributes = {}) const noexcept;

  void debug(std::string_view message, Attributes attributes = {}) const noexcept {
    write(Level::debug, message, attributes);
  }
  void info(std::string_view message, Attributes attributes = {}) const noexcept {
    write(Level::info, message, attributes);
  }
  void warning(std::string_view message, Attributes attributes = {}) const noexcept {
    write(Level::warning, message, attributes);
  }
  void error(std::string_view message, Attributes attributes = {}) const noexcept {
    write(Level::error, message, attributes);
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Opens a log file for appending, created with mode 0640, close-on-exec. A symbolic link as last
/// component is refused (whoever may write to the directory could point it anywhere), and anything
/// but a regular file or a character device (a write to a pipe that nobody reads takes for ever).
/// /dev/stdout, /dev/stderr and /dev/fd/N are what they are. Where others than root may write to
/// the directory, root opens only a file of a single name that belongs to it or to the directory's
/// owner. Throws std::system_error that names the path.
int open_file(const std::string& path);

/// What follows the level in a line of text: `message key=value ...`. Values with spaces, quotes,
/// '=' or nothing in them are put into double quotes.
std::string format_text(std::string_view message, Attributes attributes);

/// The members "message", then the attributes, without the braces around them.
std::string format_json_members(std::string_view message, Attributes attributes);

}  // namespace viaduct::daemon::log
