#include <algorithm>
#include <memory>
#include <stdexcept>

#include <viaduct/middleware.hpp>

#include "sdk/src/chars.hpp"
#include "sdk/src/request_state.hpp"

namespace viaduct {
inline namespace v1 {
namespace middleware {

Middleware method_override(MethodOverride options) {
  for (const std::string& method : options.methods) {
    // A POST that counts as safe would pass what guards against forged requests.
    if (!detail::is_token(method) || method == "GET" || method == "HEAD" || method == "OPTIONS" ||
        method == "TRACE" || method == "CONNECT") {
      throw std::invalid_argument("method_override: POST cannot become \"" + method + '"');
    }
  }
  const auto shared = std::make_shared<const MethodOverride>(std::move(options));
  return [shared](Request& request, Response& response, const Handler& next) {
    if (request.method() == "POST") {
      auto wanted = shared->header.empty() ? std::nullopt : request.headers().get(shared->header);
      if (!wanted && !shared->parameter.empty()) wanted = request.query().get(shared->parameter);
      if (wanted) {
        const auto& known = shared->methods;
        const auto method = std::find(known.begin(), known.end(), *wanted);
        if (method == known.end()) throw http_error(400, "Bad Request");
        // The name outlives the request: the router keeps this middleware.
        detail::RequestAccess::state(request).override_method(*method);
      }
    }
    next(request, response);
  };
}

}  // namespace middleware
}  // namespace v1
}  // namespace viaduct
