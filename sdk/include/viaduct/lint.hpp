#pragma once

#include <viaduct/export.hpp>
#include <viaduct/router.hpp>

namespace viaduct {
inline namespace v1 {

/// For tests: calls `handler` and checks that both sides keep to the contract, as Rack::Lint does.
/// What is broken is thrown as std::logic_error whose text names the rule; other exceptions pass.
/// As middleware around all of an app:
///
///     app.use([](Request& req, Response& res, const Handler& next) { lint(next)(req, res); });
///
/// The request: the method is a token (RFC 9110 section 9.1), path() and raw_path() begin with '/',
/// script_name() is empty or begins with '/' and does not end so, HTTP_PROXY is not there.
///
/// The response, when its head goes out or the handler returns:
/// - it has not started before the handler is called;
/// - the status is from 200 to 599, that of a thrown http_error from 400 to 599;
/// - 204, 205 and 304 have no body, 204 no Content-Length (RFC 9110 section 8.6);
/// - 301, 302, 303, 307 and 308 have Location (15.4), 401 WWW-Authenticate (15.5.2), 405 Allow
///   (15.5.6), 206 Content-Range or the type multipart/byteranges (15.3.7);
/// - Content-Type, Content-Length, Location, ETag, Last-Modified and Date stand there once at most,
///   Content-Type is type/subtype (8.3.1), ETag is a quoted tag (8.8.3);
/// - fields that belong to the connection (Connection, Transfer-Encoding, ...) are left to the
/// front
///   server;
/// - a cookie with SameSite=None is Secure, and no answer is open to every origin with credentials.
///
/// What it returns may be called as often as `handler` may. Throws std::invalid_argument for an
/// empty one.
VIADUCT_API Handler lint(Handler handler);

}  // namespace v1
}  // namespace viaduct
