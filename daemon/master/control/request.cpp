#include "daemon/master/control/request.hpp"

#include <algorithm>
#include <optional>

#include <boost/json.hpp>

#include "daemon/config/app_settings.hpp"
#include "daemon/log/escape.hpp"

namespace viaduct::daemon::master::control {

namespace {

namespace json = boost::json;

struct Endpoint {
  std::string_view name;  // the last part of the path
  Action action;
};

constexpr Endpoint kDaemon[] = {{"status", Action::status}, {"reload", Action::reload},
                                {"drain", Action::drain},   {"stop", Action::stop},
                                {"reopen", Action::reopen}, {"upgrade", Action::upgrade}};
constexpr Endpoint kApp[] = {{"requests", Action::requests},
                             {"reload", Action::reload},
                             {"restart", Action::restart},
                             {"scale", Action::scale}};

template <std::size_t Size>
std::optional<Action> find(const Endpoint (&endpoints)[Size], std::string_view name) {
  const auto found = std::find_if(std::begin(endpoints), std::end(endpoints),
                                  [&](const Endpoint& endpoint) { return endpoint.name == name; });
  if (found == std::end(endpoints)) return std::nullopt;
  return found->action;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<Command> find_command(std::string_view target) {
  if (!take(target, "/v1/")) return std::nullopt;
  Command command;
  std::optional<Action> action;
  if (take(target, "apps/")) {
    const auto slash = target.find('/');
    if (slash == 0 || slash == std::string_view::npos) return std::nullopt;
    command.app = target.substr(0, slash);
    action = find(kApp, target.substr(slash + 1));
  } else {
    action = find(kDaemon, target);
  }
  if (!action) return std::nullopt;
  command.action = *action;
  return command;
}

// Why the query is not one of this command, or nothing; what it says is put into the command.
std::optional<std::string> read_query(std::optional<std::string_view> query, Command& command) {
  if (!query) return std::nullopt;
  if (command.action != Action::requests) return "it takes no query";
  command.stacks = *query == "stacks=true";
  if (command.stacks || *query == "stacks=false") return std::nullopt;
  return "expected stacks=true or stacks=false as query";
}

// Why the body is not one of this command, or nothing; what it says is put into the command.
std::optional<std::string> read_body(std::string_view body, Command& command) {
  json::object members;
  if (!body.empty()) {
    json::error_code error;
    const json::value value = json::parse({body.data(), body.size()}, error);
    if (error || !value.is_object()) return "the body is no JSON object";
    members = value.get_object();
  }
  if (command.action == Action::scale) {
    json::error_code error;
    const json::value* workers = members.if_contains("workers");
    const bool number = workers != nullptr && workers->is_number();
    const auto count = number ? workers->to_number<std::uint32_t>(error) : std::uint32_t{0};
    if (!number || error || count > config::kMaxWorkers) {
      return "expected {\"workers\": N}, N from 0 to " + std::to_string(config::kMaxWorkers);
    }
    command.workers = count;
    members.erase("workers");
  }
  const bool whole_reload = command.action == Action::reload && command.app.empty();
  if (const json::value* keep_going = members.if_contains("keep_going");
      whole_reload && keep_going != nullptr) {
    if (!keep_going->is_bool()) return "expected {\"keep_going\": true} or false";
    command.keep_going = keep_going->get_bool();
    members.erase("keep_going");
  }
  if (members.empty()) return std::nullopt;
  return "unknown member \"" + std::string(members.begin()->key()) + "\" in the body";
}

}  // namespace

Reply error_reply(int status, std::string_view why) {
  const std::string text = log::escape_invalid_utf8(why);
  return {status, json::serialize(json::object{{"error", text}}), {}};
}

std::string to_string(const Command& command) {
  std::string text;
  for (const Endpoint& endpoint : kDaemon) {
    if (endpoint.action == command.action) text = endpoint.name;
  }
  for (const Endpoint& endpoint : kApp) {
    const bool daemon = command.app.empty();  // a reload may be either
    if (endpoint.action != command.action || daemon) continue;
    text = std::string(endpoint.name) + " " + command.app;
  }
  if (command.keep_going) text += " --keep-going";
  if (command.action == Action::scale) text += " " + std::to_string(command.workers);
  return text;
}

bool changes(Action action) {
  return action != Action::status && action != Action::requests;
}

std::variant<Command, Reply> parse_command(std::string_view method, std::string_view target,
                                           std::string_view body) {
  std::optional<std::string_view> query;
  if (const auto mark = target.find('?'); mark != std::string_view::npos) {
    query = target.substr(mark + 1);
    target = target.substr(0, mark);
  }
  std::optional<Command> command = find_command(target);
  if (!command) return error_reply(404, "there is nothing of that name");
  const std::string_view expected = changes(command->action) ? "POST" : "GET";
  if (method != expected) {
    Reply reply = error_reply(405, "expected " + std::string(expected));
    reply.allow = expected;
    return reply;
  }
  if (const auto wrong = read_query(query, *command)) return error_reply(400, *wrong);
  if (const auto wrong = read_body(body, *command)) return error_reply(400, *wrong);
  return *command;
}

}  // namespace viaduct::daemon::master::control
