#include <memory>
#include <stdexcept>

#include <viaduct/middleware.hpp>

namespace viaduct {
inline namespace v1 {
namespace middleware {

Middleware security_headers(SecurityHeaders options) {
  if (options.strict_transport < std::chrono::seconds(0)) {
    throw std::invalid_argument("security_headers: strict_transport is negative");
  }
  Fields always;
  const auto want = [&always](std::string_view name, std::string_view value) {
    if (!value.empty()) always.set(name, value);
  };
  want("Content-Security-Policy", options.content_security_policy);
  want("X-Frame-Options", options.frame_options);
  want("Referrer-Policy", options.referrer_policy);
  want("Cross-Origin-Opener-Policy", options.opener_policy);
  if (options.no_sniff) want("X-Content-Type-Options", "nosniff");
  Fields secure = always;
  if (options.strict_transport > std::chrono::seconds(0)) {
    secure.set("Strict-Transport-Security",
               "max-age=" + std::to_string(options.strict_transport.count()));
  }
  return [plain = std::make_shared<const Fields>(std::move(always)),
          https = std::make_shared<const Fields>(std::move(secure))](
             Request& request, Response& response, const Handler& next) {
    response.before_start([fields = request.scheme() == "https" ? https : plain](Response& head) {
      for (const auto& [name, value] : fields->items()) {
        if (!head.headers().get(name)) head.headers().set(name, value);
      }
    });
    next(request, response);
  };
}

}  // namespace middleware
}  // namespace v1
}  // namespace viaduct
