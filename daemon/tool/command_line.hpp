#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <variant>

#include "daemon/config/address.hpp"
#include "daemon/tool/exit_status.hpp"

namespace viaduct::daemon::tool {

/// One request to viaductd.
struct Question {
  std::string method;
  std::string target;
  std::string body;

  bool operator==(const Question&) const = default;
};

/// How the answer is shown without --json.
enum class Form { message, status, requests };

struct CommandLine {
  config::Address control;
  bool json = false;
  std::chrono::milliseconds timeout{0};  ///< for the whole; 0: none
  bool until_closed = false;  ///< the answer is followed by the end of viaductd: wait for that, too
  Form form = Form::message;
  Question question;
};

/// What the command line is read with; replaced in tests.
struct Surroundings {
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::function<bool(const std::string& path)> exists;
  bool root = false;

  static Surroundings real();
};

/// The control socket when nobody names one: control.sock in $RUNTIME_DIRECTORY; for users other
/// than root in $XDG_RUNTIME_DIR/viaduct if it exists; else in /run/viaduct.
std::string default_control(const Surroundings& surroundings);

/// What to do, or the status to exit with at once; then everything has been said on `out` (help,
/// version) or `err`.
std::variant<CommandLine, ExitStatus> parse(int argc, const char* const* argv,
                                            const Surroundings& surroundings, std::ostream& out,
                                            std::ostream& err);

}  // namespace viaduct::daemon::tool
