#include "sdk/src/dispatcher.hpp"

#include "protocol/message.hpp"
#include "sdk/src/app_settings.hpp"
#include "sdk/src/route_tree.hpp"
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

void log_failure(Request& request, std::string_view what) {
  request.log(Level::error, request.method(), ' ', request.path(), ": ", what);
}

}  // namespace

void Dispatcher::route(RequestState& state, Request& request, ResponseState& response) const {
  if (!state.derive_path()) throw http_error(400, "Bad Request");
  const RouteTree& routes = RouterAccess::routes(app_);
  const RouteTree::Match match =
      routes.match(state.variables().method, state.path().raw_path, state.capture_values());
  if (match.handler != nullptr) {
    state.set_capture_names(match.names);
    (*match.handler)(request, response.response());
    return;
  }
  if (match.malformed) throw http_error(400, "Bad Request");
  if (match.allowed.empty()) throw http_error(404, "Not Found");
  Fields allow;
  allow.set("Allow", allow_field(match.allowed));
  if (state.variables().method != "OPTIONS") {
    throw http_error(405, "Method Not Allowed", std::move(allow));
  }
  response.set_status(204);
  response.fields_to_change() = std::move(allow);
}

void Dispatcher::serve(RequestState& state, Request& request,
                       ResponseState& response) const noexcept {
  const RequestScope scope(state);
  response.begin(state.variables().method == "HEAD");
  try {
    route(state, request, response);
    response.finish();
  } catch (...) {
    const std::exception_ptr error = std::current_exception();
    try {
      recover(request, response, error);
    } catch (const client_gone&) {
    } catch (...) {
      // Out of memory, or a log sink that throws: what began stays broken.
    }
  }
}

void Dispatcher::recover(Request& request, ResponseState& response,
                         const std::exception_ptr& error) const {
  http_error shown(500, "Internal Server Error");
  try {
    std::rethrow_exception(error);
  } catch (const client_gone&) {
    response.abandon();
    return;
  } catch (const http_error& thrown) {
    if (response.started()) {
      log_failure(request, std::string("http_error in a started response: ") + thrown.what());
    } else if (thrown.status >= 400 && thrown.status <= 599) {
      shown = thrown;
    }
  } catch (const std::exception& thrown) {
    log_failure(request, thrown.what());
  } catch (...) {
    log_failure(request, "an exception that is no std::exception");
  }
  if (response.started()) {
    response.abandon();
    return;
  }
  answer(request, response, shown, error);
}

void Dispatcher::answer(Request& request, ResponseState& response, const http_error& error,
                        const std::exception_ptr& cause) const {
  const auto plain = [&response](const http_error& shown) {
    response.reset();
    response.set_status(shown.status);
    response.fields_to_change() = shown.headers;
    response.send(std::string(shown.what()) + '\n');
    response.finish();
  };
  const auto& custom = AppAccess::settings(app_).on_error;
  if (!custom) {
    plain(error);
    return;
  }
  try {
    response.reset();
    response.set_status(error.status);
    response.fields_to_change() = error.headers;
    custom(request, response.response(), cause);
    response.finish();
  } catch (const client_gone&) {
    response.abandon();
  } catch (const std::exception& thrown) {
    log_failure(request, std::string("on_error: ") + thrown.what());
    if (response.started()) {
      response.abandon();
    } else {
      plain(http_error(500, "Internal Server Error"));
    }
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
