#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <viaduct/export.hpp>
#include <viaduct/router.hpp>

namespace viaduct {
inline namespace v1 {

namespace detail {
struct SessionAccess;
}

/// What an application remembers of a visitor from request to request: named values, kept by the
/// visitor's browser in a cookie that is signed. The visitor can read them and cannot change them;
/// what shall stay secret does not belong here. An old cookie stays good until it expires, also
/// after clear(): what must end at once (a logout everywhere) needs a server's memory besides.
///
/// Belongs to one request, as the Request does. Not thread-safe.
class VIADUCT_API Session {
 public:
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// The value of that name, valid until the session changes or the handler returns.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  /// Every name with its value, in the order set; as long valid.
  [[nodiscard]] std::span<const std::pair<std::string, std::string>> items() const;

  /// Sets the value of that name, both any bytes. std::length_error when the cookie would become
  /// larger than Sessions::size (nothing is changed then); std::logic_error once the response has
  /// started, as for all members that change something.
  void set(std::string_view name, std::string_view value);
  /// Forgets that value; returns whether it was there.
  bool erase(std::string_view name);
  /// Forgets everything; the cookie goes when nothing is set afterwards.
  void clear();

 private:
  friend struct detail::SessionAccess;
  Session(const Response& response, std::size_t limit) : response_(&response), limit_(limit) {}
  void require_open() const;

  const Response* response_;
  std::size_t limit_;
  std::vector<std::pair<std::string, std::string>> items_;
  mutable bool used_ = false;
  bool changed_ = false;
};

/// How sessions are kept.
struct Sessions {
  /// Secrets of 32 bytes at least, from a generator (`openssl rand -base64 32`), the same in every
  /// worker. The first signs, all verify: a new one is put in front, the old one is removed when
  /// `lifetime` has passed.
  std::vector<std::string> keys = {};
  std::string cookie = "__Host-session";  ///< "__Host-" needs `secure`, path "/" and no domain
  /// From the last time the cookie was made. One that is in use is made anew after half of it.
  std::chrono::seconds lifetime = std::chrono::hours(24 * 7);
  std::size_t size = 3800;  ///< bytes of the cookie's value at most; browsers take 4096 in all
  std::string path = "/";   ///< of the cookie, as the next three; see Cookie
  std::string domain = {};  ///< empty: this host only
  std::string same_site = "Lax";  ///< "Strict", "Lax", "None" (needs `secure`), or empty
  bool secure = true;             ///< sent over https only; false for development over http
  /// The clock; for tests. Called concurrently; what it throws is the handler's failure.
  std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
};

/// Middleware that gives every request its Session: empty when there is no cookie or one that is
/// forged, expired or malformed; and that sends the cookie when the session has changed. Answers
/// that used the session get `Vary: Cookie`. Cookies are signed with HMAC-SHA-256 over their name,
/// time and values. Throws std::invalid_argument for options that make no sense.
VIADUCT_API Middleware sessions(Sessions options);

/// The session of this request, valid until its handler returns. std::logic_error without the
/// middleware.
VIADUCT_API Session& session(Request& request);

}  // namespace v1
}  // namespace viaduct
