#include "sdk/src/dispatcher.hpp"

#include <functional>

#include "sdk/src/app_settings.hpp"
#include "sdk/src/guard.hpp"
#include "sdk/src/onion.hpp"
#include "sdk/src/path.hpp"
#include "sdk/src/runtime/context.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

std::string allow_field(const std::vector<std::string>& methods) {
  std::string text;
  bool options = false;
  for (const std::string& method : methods) {
    if (!text.empty()) text += ", ";
    text += method;
    options = options || method == "OPTIONS";
  }
  return options ? text : text + ", OPTIONS";
}

// Moves the path below a mount, and back when the mounted router has returned.
class Descent {
 public:
  Descent(RequestState& state, std::size_t segments)
      : path_(state.path_to_change()), saved_(path_) {
    descend(path_, segments);
  }
  Descent(const Descent&) = delete;
  Descent& operator=(const Descent&) = delete;
  ~Descent() { std::swap(path_, saved_); }

 private:
  RequestPath& path_;
  RequestPath saved_;
};

void log_failure(Request& request, std::string_view what) {
  request.log(Level::error, request.method(), ' ', request.path(), ": ", what);
}

}  // namespace

// Calls `core` as the handler of a mounted router: inside its middleware and that of the routers
// around it, each of which sees the path from where it is mounted.
void Dispatcher::within(RouteTree::ScopeId id, RequestState& state, Request& request,
                        Response& response, const Handler& core) const {
  if (id == 0) {
    core(request, response);
    return;
  }
  const RouteTree& routes = RouterAccess::routes(app_);
  const RouteTree::Scope& scope = routes.scope(id);
  const auto inside = [&](Request& req, Response& res) {
    const Descent descent(state, scope.depth - routes.scope(scope.parent).depth);
    Onion(scope.middleware, core)(req, res);
  };
  within(scope.parent, state, request, response, std::ref(inside));
}

void Dispatcher::match(RequestState& state, Request& request, Response& response) const {
  const std::string_view method = state.variables().method;
  const RouteTree::Match match =
      RouterAccess::routes(app_).match(method, state.path().raw_path, state.capture_values());
  if (match.handler != nullptr) {
    state.set_capture_names(match.names);
    within(match.scope, state, request, response, *match.handler);
    return;
  }
  const auto refuse = [&](Request&, Response& res) {
    if (method == "OPTIONS" && state.path().raw_path == "*") {
      res.status(204);  // about the server, not a path
      return;
    }
    if (match.malformed) throw http_error(400, "Bad Request");
    if (match.allowed.empty()) throw http_error(404, "Not Found");
    Fields allow;
    allow.set("Allow", allow_field(match.allowed));
    if (method != "OPTIONS") throw http_error(405, "Method Not Allowed", std::move(allow));
    res.status(204).headers().set("Allow", *allow.get("Allow"));
  };
  within(match.scope, state, request, response, std::ref(refuse));
}

void Dispatcher::route(RequestState& state, Request& request, ResponseState& response) const {
  const bool understood = state.derive_path();
  const auto inside = [&](Request& req, Response& res) {
    if (!understood) throw http_error(400, "Bad Request");
    match(state, req, res);
  };
  const Handler core = std::ref(inside);
  Onion(RouterAccess::routes(app_).scope(0).middleware, core)(request, response.response());
}

void Dispatcher::serve(RequestState& state, Request& request, ResponseState& response) const {
  const RequestScope scope(state);
  const Variables& variables = state.variables();
  // viaductd says so of a request whose front server delivers no files.
  const bool reads_itself = variables.send_file == "off";
  response.begin(variables.method == "HEAD", &state,
                 reads_itself ? FileDelivery::self : file_delivery_);
  guard(
      [&] {
        route(state, request, response);
        response.finish();
      },
      [&](const std::exception_ptr& error) { recover(request, response, error); });
  state.end();
  state.release();
}

// No code of the application's runs while the exception is being handled: see guard().
void Dispatcher::recover(Request& request, ResponseState& response,
                         const std::exception_ptr& error) const {
  http_error shown(500, "Internal Server Error");
  bool left = false;
  std::string failure;
  try {
    std::rethrow_exception(error);
  } catch (const client_gone&) {
    left = true;
  } catch (const http_error& thrown) {
    const bool answerable = thrown.status >= 400 && thrown.status <= 599;
    if (response.started()) {
      failure = std::string("http_error in a started response: ") + thrown.what();
    } else if (answerable) {
      shown = thrown;
    } else {
      failure = "http_error of status " + std::to_string(thrown.status) +
                ", which is none of an error: " + thrown.what();
    }
  } catch (...) {
    failure = describe_exception(error);
  }
  if (left) return leave(request, response);
  if (!failure.empty()) log_failure(request, failure);
  if (response.started()) {
    response.abandon();
  } else {
    answer(request, response, shown, error);
  }
}

// The handler gave up, since nobody waits for more.
void Dispatcher::leave(Request& request, ResponseState& response) {
  guard(
      [&] {
        try {
          response.leave();
        } catch (const client_gone&) {
          response.abandon();
        }
      },
      [&](const std::exception_ptr& error) {
        log_failure(request, describe_exception(error));
        response.abandon();
      });
}

// Makes an error's answer from the beginning. Whether that is done with: it went out, broke off, or
// nobody waits for it. Else `who` is logged with what was thrown, and nothing was sent.
bool Dispatcher::attempt(Request& request, ResponseState& response, const http_error& error,
                         std::string_view who, const std::function<void()>& write) {
  bool done = true;
  guard(
      [&] {
        try {
          response.reset();
          response.set_status(error.status);
          response.fields_to_change() = error.headers;
          write();
          response.finish();
        } catch (const client_gone&) {
          response.abandon();
        }
      },
      [&](const std::exception_ptr& thrown) {
        log_failure(request, std::string(who) + ": " + describe_exception(thrown));
        done = response.started();
        response.abandon();
      });
  return done;
}

void Dispatcher::answer(Request& request, ResponseState& response, const http_error& error,
                        const std::exception_ptr& cause) const {
  const auto plain = [&](const http_error& shown) {
    return attempt(request, response, shown, "answering " + std::to_string(shown.status),
                   [&] { response.send(std::string(shown.what()) + '\n'); });
  };
  const http_error server_error(500, "Internal Server Error");
  const auto& custom = AppAccess::settings(app_).on_error;
  const bool done = custom ? attempt(request, response, error, "on_error",
                                     [&] { custom(request, response.response(), cause); })
                           : plain(error);
  if (done || (custom && plain(server_error))) return;
  // A hook that spoils every answer, or a field that none may have.
  response.drop_hooks();
  plain(server_error);
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
