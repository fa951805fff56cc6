#include <viaduct/middleware.hpp>

#include "sdk/src/base64.hpp"
#include "sdk/src/crypto.hpp"
#include "sdk/src/files/http_date.hpp"
#include "sdk/src/files/preconditions.hpp"
#include "sdk/src/response_state.hpp"

namespace viaduct {
inline namespace v1 {
namespace middleware {
namespace {

// Whether the client has what these validators describe (RFC 9110 section 13.2.2).
bool has_it(const Request& request, const Fields& fields) {
  if (const auto list = request.headers().get("If-None-Match")) {
    return detail::names_etag(*list, fields.get("ETag").value_or(""), true);
  }
  const auto asked = request.headers().get("If-Modified-Since");
  const auto sent = fields.get("Last-Modified");
  const auto since = asked ? detail::parse_http_date(*asked) : std::nullopt;
  const auto modified = sent ? detail::parse_http_date(*sent) : std::nullopt;
  return since && modified && *modified <= *since;
}

// Whether the whole answer lies there without a validator of its own. A transform is nothing for
// others: it would take a stream's heartbeats.
bool wants_etag(detail::ResponseState& response) {
  const Fields& fields = response.fields();
  const bool left_out = response.head_only() && response.written() == 0;
  return response.starts_complete() && !left_out && !fields.get("ETag") &&
         !fields.get("Content-Length");
}

void add_etag(const Request& request, Response& response) {
  response.transform([&request, &response](std::string_view whole, bool) {
    const std::string digest = detail::sha256(whole).substr(0, 16);
    response.headers().set("ETag", '"' + detail::base64url_encode(digest) + '"');
    if (!has_it(request, response.headers())) return std::string(whole);
    response.status(304);
    return std::string();
  });
}

}  // namespace

Middleware conditional_get() {
  return [](Request& request, Response& response, const Handler& next) {
    if (request.method() != "GET" && request.method() != "HEAD") return next(request, response);
    response.before_start([&request](Response& head) {
      if (head.status() != 200) return;
      if (wants_etag(detail::ResponseAccess::state(head))) return add_etag(request, head);
      if (has_it(request, head.headers())) head.status(304).headers().erase("Content-Length");
    });
    next(request, response);
  };
}

}  // namespace middleware
}  // namespace v1
}  // namespace viaduct
