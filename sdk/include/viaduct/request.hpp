#pragma once

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include <viaduct/body.hpp>
#include <viaduct/errors.hpp>
#include <viaduct/export.hpp>
#include <viaduct/fields.hpp>
#include <viaduct/form.hpp>
#include <viaduct/log.hpp>
#include <viaduct/type_key.hpp>
#include <viaduct/values.hpp>

namespace viaduct {
inline namespace v1 {

namespace detail {
class RequestState;
struct RequestAccess;
}  // namespace detail

/// What the front server asks of the application (FastCGI 1.0 section 6). The values are those on
/// the wire.
enum class Role : std::uint8_t {
  responder = 1,  ///< answer the request
  authorizer,     ///< 200 lets the request pass, anything else is the answer; there is no body
  filter,         ///< answer with Request::data() as the application changes it
};

/// One request. Owned by the runtime and valid until the handler returns, as is every view that it
/// hands out. To be used by the handler that got it; stop(), draining() and deadline() may be
/// called from other threads while the handler runs.
class VIADUCT_API Request {
 public:
  /// Made by the runtime.
  explicit Request(detail::RequestState& state);
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  /// Names the request in log lines: the first of the variables REQUEST_ID and UNIQUE_ID and the
  /// header field X-Request-Id that holds a token of at most 128 characters, else one that this
  /// process made up. VIADUCT_REQUEST_ID_FROM in the environment (or --request-id-from) names other
  /// ones, separated by commas: "REQUEST_ID", "X-Amzn-Trace-Id"; "none" if clients are not to
  /// choose it.
  [[nodiscard]] std::string_view id() const;
  /// Responder unless the front server says otherwise, which only FastCGI can.
  [[nodiscard]] Role role() const;
  /// GET, POST, ... as sent (methods are case-sensitive).
  [[nodiscard]] std::string_view method() const;
  /// Path and query as the client sent them (REQUEST_URI); of a target in absolute-form these two.
  [[nodiscard]] std::string_view target() const;
  /// "http" or "https".
  [[nodiscard]] std::string_view scheme() const;
  /// The Host field, port included when there is one; else SERVER_NAME. Of a target in
  /// absolute-form its host counts (RFC 9112 section 3.2.2), here and in headers().
  [[nodiscard]] std::string_view host() const;
  /// Where the application is mounted, decoded: empty, or it begins with '/' and does not end so.
  [[nodiscard]] std::string_view script_name() const;
  /// The path below the mount, every segment decoded, "/" at least. A segment may have held an
  /// encoded slash: routes are matched segment by segment on raw_path(). One with a malformed
  /// escape is answered 400; middleware that stands before that sees it as it was sent.
  [[nodiscard]] std::string_view path() const;
  /// The path below the mount, still percent-encoded. As the client sent it, unless the front
  /// server normalised or rewrote the path: then what the front server made of it.
  [[nodiscard]] std::string_view raw_path() const;
  /// The query as sent, without the '?'; empty when there is none.
  [[nodiscard]] std::string_view raw_query() const;
  /// The query, decoded. Throws http_error 400 when it has more than 1024 pairs.
  [[nodiscard]] const Values& query() const;
  /// The fields that the client sent, as far as the front server passes them on: HTTP_* variables
  /// under their HTTP names ("User-Agent"), Content-Type and Content-Length. Never Proxy.
  [[nodiscard]] const Fields& headers() const;
  /// The first cookie of that name (RFC 6265 section 5.4), quotes removed. Only ';' separates
  /// cookies. Every call searches the field that was sent, and stores nothing.
  [[nodiscard]] std::optional<std::string_view> cookie(std::string_view name) const;
  /// A CGI variable (RFC 3875 section 4.1) as the front server sent it. HTTP_PROXY never appears.
  [[nodiscard]] std::optional<std::string_view> env(std::string_view name) const;
  /// What a capture of the route matched, decoded; absent when the route has no such capture.
  [[nodiscard]] std::optional<std::string_view> arg(std::string_view name) const;
  /// The same as a number or string: `{id:int}` is `arg<int>("id")`. Throws http_error 404 when the
  /// text is no such number ("nan" and "inf" are none) or does not fit, std::logic_error when the
  /// route has no such capture.
  template <class T>
  [[nodiscard]] T arg(std::string_view name) const;
  /// `path`, which is decoded as path() is, with the mount prefix in front and percent-encoded:
  /// what to put into links and redirect(). It begins with exactly one slash, so that it stays on
  /// this host whatever `path` holds. '?' and '#' are escaped as well: a query or a fragment is
  /// appended to the result, `url("/list") + "?page=2"`.
  [[nodiscard]] std::string url(std::string_view path) const;
  /// Address of the client, as the front server sees it; empty when unknown.
  [[nodiscard]] std::string_view remote_addr() const;
  /// Its port; 0 when unknown.
  [[nodiscard]] unsigned remote_port() const;
  /// The body as it was sent; the same object at every call. std::logic_error once form() or
  /// next_part() was called.
  Body& body();
  /// Filter role (FastCGI 1.0 section 6.4): the file to be filtered, FCGI_DATA; its length() is
  /// FCGI_DATA_LENGTH, before which it ends only by throwing client_gone. On the wire it follows
  /// the body: the first read drops what is left of that. Empty for other roles.
  Body& data();
  /// The body as a form, application/x-www-form-urlencoded or multipart/form-data (RFC 7578), read
  /// at the first call and kept, with its files, until the handler returns; later calls ignore
  /// `limits`. Parts of a multipart form that have no name are skipped. Throws
  /// http_error 415 for other media types, 400 for a malformed body, 413 beyond the limits, with
  /// the part and the cause in its text; client_gone; std::logic_error once body() was read or
  /// next_part() called; and std::filesystem::filesystem_error when a file cannot be stored. No
  /// file stays then. Called again after it threw, it throws the same.
  const Form& form(const FormLimits& limits = {});
  /// The next part of a multipart/form-data body, to be read as it comes in: nothing is stored, and
  /// `directory` is not used. What is left of the part before is skipped; absent behind the last.
  /// The limits are those of the first call, and also apply while the part is read. Throws like
  /// form().
  std::optional<Part> next_part(const FormLimits& limits = {});
  /// Fires when the client left, the deadline passed, or the time to drain is spent. Callbacks run
  /// on a thread of the runtime; they may neither block nor touch the request, and
  /// one that throws ends the process.
  [[nodiscard]] std::stop_token stop() const;
  /// Whether the process has been asked to end, or viaductd takes no more requests over the
  /// connection of this one, since it is about to. Requests in flight are still finished.
  [[nodiscard]] bool draining() const;
  /// When stop() will fire unless the response has begun by then; time_point::max() when the
  /// request has no deadline, or once the response has begun. It moves on while the client is still
  /// sending the body: the limit counts from the body's end.
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const;
  /// A value of that type that belongs to this request, default-constructed at the first call and
  /// destroyed when the handler has returned and the answer is complete: what middleware leaves for
  /// handlers.
  template <class T>
  T& local();
  /// Like viaduct::log(), with the request's id in front, whatever thread or fiber calls.
  template <class... Parts>
  void log(Level level, const Parts&... parts) const;

 private:
  friend struct detail::RequestAccess;
  [[nodiscard]] std::string_view captured(std::string_view name) const;
  std::shared_ptr<void>& slot(detail::TypeKey type);

  detail::RequestState* state_;
};

template <class T>
T Request::arg(std::string_view name) const {
  const std::string_view text = captured(name);
  if constexpr (std::is_arithmetic_v<T>) {
    static_assert(!std::is_same_v<T, bool>, "captures are numbers or text");
    T value{};
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end) throw http_error(404, "Not Found");
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value)) throw http_error(404, "Not Found");
    }
    return value;
  } else {
    return T(text);
  }
}

template <class T>
T& Request::local() {
  std::shared_ptr<void>& place = slot(detail::type_key<T>());
  if (!place) place = std::make_shared<T>();
  return *static_cast<T*>(place.get());
}

template <class... Parts>
void Request::log(Level level, const Parts&... parts) const {
  std::string text;
  (detail::append_text(text, parts), ...);
  detail::write_log(level, id(), text);
}

}  // namespace v1
}  // namespace viaduct
