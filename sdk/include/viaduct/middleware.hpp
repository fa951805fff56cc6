#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <viaduct/export.hpp>
#include <viaduct/log.hpp>
#include <viaduct/router.hpp>

namespace viaduct {
inline namespace v1 {

/// Ready-made middleware for Router::use(). Each function checks its options when it is called and
/// throws std::invalid_argument for those that make no sense; what it returns may be used by any
/// number of routers and threads. Functions among the options are called concurrently. What they
/// throw, of whatever type, is the handler's failure, as Handler says, unless said otherwise.
namespace middleware {

/// How access_log() writes.
struct AccessLog {
  Level level = Level::info;  ///< of the line
  /// Header fields of the request to show as well, in quotes; "-" where they are missing.
  std::vector<std::string> headers = {};
  /// Takes the line, without the request's id, in place of Request::log(); the line is valid during
  /// the call. What it throws is logged.
  std::function<void(std::string_view line)> write = {};
};
/// One line for each request once its answer is complete, errors included:
///
///     192.0.2.7 "GET /notes?page=2" 200 5120 1.3ms "curl/7.88.1"
///
/// client, request, status, body bytes, time since the middleware was entered, and here the one
/// field of `headers = {"User-Agent"}`. A status is followed by '!' when the answer broke off.
/// Quotes, backslashes and control characters of what the client sent are escaped, so that nobody
/// forges a line.
VIADUCT_API Middleware access_log(AccessLog options = {});

/// Spans of time that a handler adds to Server-Timing: `req.local<Timings>().add("db", spent)`.
class VIADUCT_API Timings {
 public:
  /// Adds one span, shown in milliseconds. `name` is a token, else std::invalid_argument. Without
  /// effect behind the head.
  void add(std::string_view name, std::chrono::nanoseconds spent);
  /// The field's members, in the order added; empty when there are none.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};
/// How timing() names what it measures.
struct Timing {
  std::string name = "app";  ///< of the whole, a token
};
/// Server-Timing (W3C Server Timing section 3): milliseconds from here to the head of the answer,
/// and what is in Timings. Browsers show it; so does everybody else who asks, which is why it does
/// not belong around what takes different time for different secrets.
VIADUCT_API Middleware timing(Timing options = {});

/// Whom cors() lets read answers, and what they may send.
struct Cors {
  /// Origins that may read answers, "https://app.example" each; {"*"}: all, without credentials;
  /// likewise "null", which is what any site's sandboxed frame sends.
  std::vector<std::string> origins = {};
  /// Decides on origins that are not listed; asked about well-formed ones only.
  std::function<bool(std::string_view origin)> allow = {};
  /// That a request may have.
  std::vector<std::string> methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  std::vector<std::string> headers = {"Content-Type"};  ///< that a request may carry
  std::vector<std::string> expose = {};                 ///< fields of answers that scripts may see
  bool credentials = false;                             ///< cookies and Authorization go along
  std::chrono::seconds max_age = std::chrono::minutes(10);  ///< a preflight's answer may be kept
};
/// Cross-origin resource sharing (Fetch standard section 3.2). Preflights are answered here, before
/// any authentication behind it; other requests get the fields, errors included, or none when their
/// origin is not allowed. It lets scripts read; what keeps others from sending is csrf().
VIADUCT_API Middleware cors(Cors options);

/// How much body_limit() lets in.
struct BodyLimit {
  std::uint64_t bytes = std::uint64_t{1} << 20;  ///< of one body, exactly as much included
};
/// Answers 413 to a larger body: at once when its length is announced, else when reading goes
/// beyond. Inner limits can only be lower.
VIADUCT_API Middleware body_limit(BodyLimit options = {});

/// Whom basic_auth() lets in.
struct BasicAuth {
  std::string realm = "Restricted";  ///< visible ASCII and spaces, without '"' and backslashes
  /// Names, without colons, and passwords. Compared in a time that tells neither which nor how much
  /// of it was right.
  std::vector<std::pair<std::string, std::string>> users = {};
  /// Asked about those that are not among `users`: a password database, which hashes.
  std::function<bool(std::string_view name, std::string_view password)> check = {};
};
/// Basic authentication (RFC 7617): 401 with WWW-Authenticate unless name and password are right.
/// Only for https. Apache passes the field on with `CGIPassAuth On` only.
VIADUCT_API Middleware basic_auth(BasicAuth options);
/// Who basic_auth() let in; empty when nobody was asked. Valid until the handler returns.
VIADUCT_API std::string_view authenticated_user(Request& request);

/// What security_headers() sends; an empty text leaves that field out.
struct SecurityHeaders {
  /// Content-Security-Policy (W3C CSP 3): what pages may load, and who may frame them.
  std::string content_security_policy =
      "default-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'self'";
  std::string frame_options = "SAMEORIGIN";                         ///< X-Frame-Options
  std::string referrer_policy = "strict-origin-when-cross-origin";  ///< Referrer-Policy
  std::string opener_policy = "same-origin";                        ///< Cross-Origin-Opener-Policy
  bool no_sniff = true;  ///< X-Content-Type-Options: nosniff
  /// Strict-Transport-Security on https answers. Browsers keep to it: 0 does not take it back.
  std::chrono::seconds strict_transport = std::chrono::seconds(0);
};
/// Sets those of these fields that are not empty and that the handler has not set.
VIADUCT_API Middleware security_headers(SecurityHeaders options = {});

/// How csrf() knows a request of this application's own pages.
struct Csrf {
  std::string cookie = "__Host-csrf";   ///< holds the token, unless `in_session`
  std::string header = "X-CSRF-Token";  ///< in which scripts send it; looked at first
  /// Field of an urlencoded or multipart form; empty: the form is not looked at. Reading it, within
  /// the default FormLimits, keeps it for Request::form(); handlers that pull such a body
  /// themselves, or need other limits, have the header sent.
  std::string field = "csrf_token";
  bool in_session = false;  ///< the token is kept in the Session, whose middleware stands outside
  bool secure = true;       ///< of the cookie; a "__Host-" name needs it
  std::string same_site = "Lax";  ///< of the cookie
  /// Other origins whose pages may send, "https://admin.example" each.
  std::vector<std::string> trusted = {};
};
/// Refuses requests that another site made a browser send (403), other than GET, HEAD, OPTIONS and
/// TRACE:
///
/// - Sec-Fetch-Site has to say same-origin or none, or else Origin, when there is one, has to be
///   the request's own or trusted. A sibling domain is same-site: SameSite cookies do not stop it.
/// - the token in header or form field has to be the one in cookie or session.
VIADUCT_API Middleware csrf(Csrf options = {});
/// What to put into forms and scripts, different each time. Makes the token when there is none yet,
/// so it is to be called before the response has started. std::logic_error without csrf().
VIADUCT_API std::string csrf_token(Request& request);

/// How much rate_limit() lets one client do.
struct RateLimit {
  double per_second = 10;    ///< requests that one key may make in the long run, above 0
  std::uint32_t burst = 20;  ///< requests at once after a pause, 1 at least
  /// Keys that are remembered; beyond that the one not seen for longest is forgotten.
  std::size_t keys = 10000;
  /// Who is counted; remote_addr(), of IPv6 the /64 network, unless set. Empty: not limited.
  std::function<std::string(Request&)> key = {};
  /// The clock; for tests.
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};
/// Answers 429 with Retry-After to a key whose bucket is empty: each holds `burst` tokens, gains
/// `per_second` and gives one for each request. Counted in this process: several workers allow
/// several times as much.
VIADUCT_API Middleware rate_limit(RateLimit options = {});

/// Where method_override() looks for the method.
struct MethodOverride {
  std::string header = "X-HTTP-Method-Override";  ///< looked at first; empty: not at all
  /// Of the query: `<form method="post" action="?_method=PUT">`; empty: it is not looked at.
  std::string parameter = "_method";
  /// That a POST may become: none of GET, HEAD, OPTIONS, TRACE and CONNECT.
  std::vector<std::string> methods = {"PUT", "PATCH", "DELETE"};
};
/// Has a POST be routed as the method that the header, else the query names: HTML forms know no
/// others. 400 for one that is not in `methods`. Routes are found behind the middleware of the app:
/// it has no effect in a mounted router.
VIADUCT_API Middleware method_override(MethodOverride options = {});

/// Conditional GET (RFC 9110 section 13.2): a 200 that the client has already becomes a 304. The
/// validators are the handler's ETag and Last-Modified; an answer without ETag that is complete
/// before it starts (16 KiB at most, no Content-Length set) gets one from its content. It is made
/// all the same: what this saves is sending it. `If-None-Match: *` fits every answer, with or
/// without ETag. Answers that stream pass as they are.
VIADUCT_API Middleware conditional_get();

}  // namespace middleware
}  // namespace v1
}  // namespace viaduct
