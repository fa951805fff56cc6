#include <viaduct/middleware.hpp>

#include "sdk/src/request_state.hpp"

namespace viaduct {
inline namespace v1 {
namespace middleware {

Middleware body_limit(BodyLimit options) {
  return [bytes = options.bytes](Request& request, Response& response, const Handler& next) {
    detail::RequestState& state = detail::RequestAccess::state(request);
    const auto announced = state.source().length();
    if (announced && *announced > bytes) throw http_error(413, "Content Too Large");
    state.limit_body(bytes);
    next(request, response);
  };
}

}  // namespace middleware
}  // namespace v1
}  // namespace viaduct
