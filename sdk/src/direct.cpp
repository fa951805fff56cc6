#include "sdk/src/direct.hpp"

#include <viaduct/log.hpp>

#include "protocol/refusal.hpp"
#include "protocol/variables.hpp"
#include "sdk/src/dispatcher.hpp"
#include "sdk/src/request_limits.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

using protocol::Errc;

Errc collect(const std::vector<std::pair<std::string, std::string>>& variables,
             protocol::RequestHead& head) {
  const protocol::Limits limits = request_limits();
  protocol::Variables collected(limits);
  for (const auto& [name, value] : variables) {
    const Errc error = collected.admit(name.size(), value.size());
    if (error != Errc::ok) return error;
    collected.add(name, value);
  }
  return collected.finish(head);
}

}  // namespace

void serve_directly(const App& app,
                    const std::vector<std::pair<std::string, std::string>>& variables,
                    BodySource& body, RequestControl& control, ResponseSink& sink) {
  protocol::RequestHead head;
  const Errc error = collect(variables, head);
  if (error != Errc::ok) {
    log(Level::warn, "request refused: ", protocol::describe(error));
    ResponseState refusal(sink);
    refusal.begin(false);
    refusal.set_status(protocol::refusal_status(error));
    refusal.send(std::string(protocol::reason_phrase(refusal.status())) + '\n');
    refusal.finish();
    return;
  }
  RequestState state(body, control);
  Request request(state);
  ResponseState response(sink);
  state.begin(head);
  Dispatcher(app).serve(state, request, response);
  state.finish();
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
