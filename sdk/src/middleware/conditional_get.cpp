#include <viaduct/middleware.hpp>

#include "sdk/src/base64.hpp"
#include "sdk/src/crypto.hpp"
#include "sdk/src/files/http_date.hpp"
#include "sdk/src/files/preconditions.hpp"

namespace viaduct {
inline namespace v1 {
namespace middleware {
namespace {

// Whether the client has what these validators describe (RFC 9110 section 13.2.2).
bool has_it(const Request& request, const Fields& fields) {
  if (const auto list = request.headers().get("If-None-Match")) {
    const auto tag = fields.get("ETag");
    return tag && detail::names_etag(*list, *tag, true);
  }
  const auto asked = request.headers().get("If-Modified-Since");
  const auto sent = fields.get("Last-Modified");
  const auto since = asked ? detail::parse_http_date(*asked) : std::nullopt;
  const auto modified = sent ? detail::parse_http_date(*sent) : std::nullopt;
  return since && modified && *modified <= *since;
}

}  // namespace

Middleware conditional_get() {
  return [](Request& request, Response& response, const Handler& next) {
    if (request.method() != "GET" && request.method() != "HEAD") return next(request, response);
    response.before_start([&request](Response& head) {
      if (head.status() != 200) return;
      if (has_it(request, head.headers())) {
        head.status(304).headers().erase("Content-Length");
        return;
      }
      if (head.headers().get("ETag") || head.headers().get("Content-Length")) return;
      head.transform([&request, &head, first = true](std::string_view chunk, bool last) mutable {
        const bool whole = first && last;
        first = false;
        if (!whole) return std::string(chunk);
        const std::string digest = detail::sha256(chunk).substr(0, 16);
        head.headers().set("ETag", '"' + detail::base64url_encode(digest) + '"');
        if (!has_it(request, head.headers())) return std::string(chunk);
        head.status(304);
        return std::string();
      });
    });
    next(request, response);
  };
}

}  // namespace middleware
}  // namespace v1
}  // namespace viaduct
