#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace viaduct::daemon::master::control {

/// An answer: JSON with an HTTP status.
struct Reply {
  int status = 200;
  std::string json;
  std::string allow;  ///< with 405: the methods that there are

  bool operator==(const Reply&) const = default;
};

/// {"error": "..."}
Reply error_reply(int status, std::string_view why);

enum class Action { status, requests, reload, restart, scale, drain, stop, reopen, upgrade };

/// What a request asks for.
struct Command {
  Action action = Action::status;
  std::string app;            ///< of requests, restart, scale, and of reload for one app
  std::uint32_t workers = 0;  ///< of scale, 0 to 1024
  bool stacks = false;        ///< of requests: with what their handlers do
  bool keep_going = false;    ///< of reload: without the apps that fail

  bool operator==(const Command&) const = default;
};

/// "restart shop"
std::string to_string(const Command& command);

/// Whether it does more than tell how things are.
bool changes(Action action);

/// The command, or the answer that says what is wrong.
///
///   GET  /v1/status                POST /v1/drain   /v1/stop   /v1/reopen   /v1/upgrade
///   GET  /v1/apps/NAME/requests    POST /v1/reload              {"keep_going": true}, or no body
///        ?stacks=true              POST /v1/apps/NAME/reload
///                                  POST /v1/apps/NAME/restart
///                                  POST /v1/apps/NAME/scale     {"workers": N}
///
/// All other bodies are empty, or an empty JSON object. No other request has a query.
std::variant<Command, Reply> parse_command(std::string_view method, std::string_view target,
                                           std::string_view body);

}  // namespace viaduct::daemon::master::control
