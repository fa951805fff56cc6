#include <algorithm>
#include <memory>
#include <stdexcept>

#include <viaduct/middleware.hpp>

#include "sdk/src/chars.hpp"
#include "sdk/src/middleware/origin.hpp"

namespace viaduct {
inline namespace v1 {
namespace middleware {
namespace {

// The options as they stand in header fields.
struct Policy {
  explicit Policy(Cors given) : options(std::move(given)) {
    for (const std::string& origin : options.origins) {
      if (origin == "*") {
        any = true;
      } else if (origin != "null" && !detail::is_origin(origin)) {
        throw std::invalid_argument("cors: \"" + origin + "\" is not an origin");
      }
    }
    const auto& given_origins = options.origins;
    const bool null =
        std::find(given_origins.begin(), given_origins.end(), "null") != given_origins.end();
    if (null && options.credentials) {
      throw std::invalid_argument(
          "cors: \"null\" with credentials would let any site act, from a sandboxed frame");
    }
    if (any && options.credentials) {
      throw std::invalid_argument("cors: every origin with credentials would let any site act");
    }
    methods = join(options.methods);
    headers = join(options.headers);
    expose = join(options.expose);
  }

  [[nodiscard]] bool allows(std::string_view origin) const {
    if (any) return true;
    const auto& known = options.origins;
    if (std::find(known.begin(), known.end(), origin) != known.end()) return true;
    return options.allow && detail::is_origin(origin) && options.allow(origin);
  }

  static std::string join(const std::vector<std::string>& tokens) {
    std::string text;
    for (const std::string& token : tokens) {
      if (!detail::is_token(token)) {
        throw std::invalid_argument("cors: \"" + token + "\" is not a token");
      }
      text += (text.empty() ? "" : ", ") + token;
    }
    return text;
  }

  Cors options;
  bool any = false;
  std::string methods;
  std::string headers;
  std::string expose;
};

void set_fields(const Policy& policy, const std::string& origin, Fields& fields) {
  if (!policy.any) fields.add("Vary", "Origin");
  if (origin.empty()) return;
  fields.set("Access-Control-Allow-Origin", policy.any ? "*" : origin);
  if (policy.options.credentials) fields.set("Access-Control-Allow-Credentials", "true");
}

}  // namespace

Middleware cors(Cors options) {
  const auto policy = std::make_shared<const Policy>(std::move(options));
  return [policy](Request& request, Response& response, const Handler& next) {
    const auto sent = request.headers().get("Origin");
    const std::string origin(sent && policy->allows(*sent) ? *sent : "");
    const bool preflight = request.method() == "OPTIONS" && sent &&
                           request.headers().get("Access-Control-Request-Method");
    if (!preflight) {
      response.before_start([policy, origin](Response& head) {
        set_fields(*policy, origin, head.headers());
        if (!origin.empty() && !policy->expose.empty()) {
          head.headers().set("Access-Control-Expose-Headers", policy->expose);
        }
      });
      next(request, response);
      return;
    }
    Fields& fields = response.status(204).headers();
    set_fields(*policy, origin, fields);
    if (origin.empty()) return;
    fields.set("Access-Control-Allow-Methods", policy->methods);
    if (!policy->headers.empty()) fields.set("Access-Control-Allow-Headers", policy->headers);
    fields.set("Access-Control-Max-Age", std::to_string(policy->options.max_age.count()));
  };
}

}  // namespace middleware
}  // namespace v1
}  // namespace viaduct
