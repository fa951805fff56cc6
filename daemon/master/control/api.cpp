#include "daemon/master/control/api.hpp"

#include <utility>

#include <boost/json.hpp>

#include "daemon/config/app_name.hpp"
#include "daemon/log/escape.hpp"

namespace viaduct::daemon::master::control {

namespace {

namespace json = boost::json;

int status_of(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::done:
      return 200;
    case Outcome::Kind::invalid:
      return 422;
    case Outcome::Kind::refused:
    case Outcome::Kind::partial:
      return 409;
    case Outcome::Kind::unsupported:
      return 501;
  }
  return 500;
}

json::array texts(const std::vector<std::string>& lines) {
  json::array result;
  for (const std::string& line : lines) result.emplace_back(log::escape_invalid_utf8(line));
  return result;
}

Reply to_reply(const Outcome& outcome) {
  json::object members;
  members[outcome.kind == Outcome::Kind::done ? "message" : "error"] =
      log::escape_invalid_utf8(outcome.message);
  if (!outcome.errors.empty()) members["errors"] = texts(outcome.errors);
  if (!outcome.warnings.empty()) members["warnings"] = texts(outcome.warnings);
  return {status_of(outcome.kind), json::serialize(members), {}};
}

// The bridge has escaped its texts, unless it is in other hands.
json::object to_json(const channel::ListedRequest& request) {
  const auto text = [](const std::string& from) {
    return json::string(log::escape_controls(from));
  };
  json::object members{{"id", text(request.id)},           {"method", text(request.method)},
                       {"target", text(request.target)},   {"age_ms", request.age_ms},
                       {"worker_pid", request.worker_pid}, {"state", text(request.state)}};
  if (!request.stack.empty()) {
    json::array frames;
    for (const std::string& frame : request.stack) frames.emplace_back(text(frame));
    members["stack"] = std::move(frames);
  }
  if (!request.no_stack.empty()) members["no_stack"] = text(request.no_stack);
  return members;
}

std::string to_json(const std::vector<channel::ListedRequest>& requests) {
  json::array entries;
  for (const channel::ListedRequest& request : requests) entries.push_back(to_json(request));
  return json::serialize(entries);
}

Reply to_reply(const std::string& app, const std::vector<RequestList>& lists) {
  bool complete = true;
  std::string bridges;
  for (const RequestList& list : lists) {
    complete = complete && list.answered;
    if (!bridges.empty()) bridges += ',';
    bridges += "{\"generation\":" + std::to_string(list.generation) +
               ",\"answered\":" + (list.answered ? "true" : "false") +
               ",\"omitted\":" + std::to_string(list.omitted) +
               ",\"requests\":" + to_json(list.requests) + "}";
  }
  return {200,
          "{\"app\":" + json::serialize(json::value(app)) +
              ",\"complete\":" + (complete ? "true" : "false") + ",\"bridges\":[" + bridges + "]}",
          {}};
}

}  // namespace

bool Api::admit(const Peer& peer) {
  if (!commands_.is_bridge(peer.pid)) return true;
  commands_.bridge_called(peer.pid);
  return false;
}

void Api::handle(const Peer& peer, std::string_view method, std::string_view target,
                 std::string_view body, std::function<void(Reply)> answer) {
  auto parsed = parse_command(method, target, body);
  if (auto* reply = std::get_if<Reply>(&parsed)) return answer(std::move(*reply));
  const Command& command = std::get<Command>(parsed);
  if (changes(command.action) && !permission_.may_change(peer)) {
    return answer(error_reply(403,
                              "only root, the user that viaductd runs as and members of "
                              "control.group may change something"));
  }
  const bool may_be_new = command.action == Action::reload && config::is_app_name(command.app);
  if (!command.app.empty() && !may_be_new && !commands_.has_app(command.app)) {
    return answer(error_reply(404, "there is no app \"" + command.app + "\""));
  }
  const bool change = changes(command.action);
  std::size_t& under_way = change ? commands_under_way_ : lists_under_way_;
  const bool ends = command.action == Action::drain || command.action == Action::stop;
  if (!ends && under_way >= (change ? kMaxCommands : kMaxLists)) {
    return answer(error_reply(503, "too many commands are under way"));
  }
  if (change) commands_.note(peer, to_string(command));
  ++under_way;
  perform(command, [&under_way, answer = std::move(answer)](Reply reply) {
    --under_way;
    answer(std::move(reply));
  });
}

void Api::perform(const Command& command, const std::function<void(Reply)>& answer) {
  const Commands::Done done = [answer](const Outcome& outcome) { answer(to_reply(outcome)); };
  switch (command.action) {
    case Action::status:
      return answer({200, to_json(commands_.status()), {}});
    case Action::requests:
      return commands_.list_requests(
          command.app, command.stacks,
          [answer, app = command.app](const std::vector<RequestList>& lists) {
            answer(to_reply(app, lists));
          });
    case Action::reload:
      if (!command.app.empty()) return commands_.reload_app(command.app, done);
      return commands_.reload(command.keep_going, done);
    case Action::restart:
      return commands_.restart(command.app, done);
    case Action::scale:
      return commands_.scale(command.app, command.workers, done);
    case Action::drain:
      return commands_.drain(done);
    case Action::stop:
      return commands_.stop(done);
    case Action::reopen:
      return commands_.reopen(done);
    case Action::upgrade:
      return commands_.upgrade(done);
  }
}

}  // namespace viaduct::daemon::master::control
