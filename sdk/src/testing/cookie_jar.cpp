#include "sdk/src/testing/cookie_jar.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "sdk/src/chars.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {
namespace {

using detail::equal_nocase;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes text up to `separator` from the front.
std::string_view take(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return trim(taken);
}

// RFC 6265 section 5.1.4, both.
std::string default_path(std::string_view request) {
  const std::size_t slash = request.rfind('/');
  return slash == request.npos || slash == 0 ? "/" : std::string(request.substr(0, slash));
}

bool path_matches(std::string_view request, std::string_view cookie) {
  if (!request.starts_with(cookie)) return false;
  return request.size() == cookie.size() || cookie.ends_with('/') || request[cookie.size()] == '/';
}

}  // namespace

void CookieJar::store(const Fields& answer, std::string_view path, Clock::time_point now) {
  for (const std::string_view text : answer.all("Set-Cookie")) store_one(text, path, now);
}

void CookieJar::store_one(std::string_view text, std::string_view path, Clock::time_point now) {
  std::string_view pair = take(text, ';');
  if (pair.find('=') == pair.npos) return;
  Stored cookie;
  cookie.name = take(pair, '=');
  cookie.value = trim(pair);
  cookie.path = default_path(path);
  while (!text.empty()) {
    std::string_view value = take(text, ';');
    const std::string_view name = take(value, '=');
    if (equal_nocase(name, "Secure")) cookie.secure = true;
    if (equal_nocase(name, "Path") && value.starts_with('/')) cookie.path = value;
    if (!equal_nocase(name, "Max-Age")) continue;
    std::int32_t seconds = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (parsed.ec == std::errc()) cookie.expires = now + std::chrono::seconds(seconds);
  }
  const auto known = std::find_if(cookies_.begin(), cookies_.end(), [&](const Stored& stored) {
    return stored.name == cookie.name && stored.path == cookie.path;
  });
  if (known != cookies_.end()) {
    *known = std::move(cookie);
    return;
  }
  const auto place = std::find_if(cookies_.begin(), cookies_.end(), [&](const Stored& stored) {
    return stored.path.size() < cookie.path.size();
  });
  cookies_.insert(place, std::move(cookie));
}

std::string CookieJar::header(std::string_view path, bool secure, Clock::time_point now) const {
  std::string text;
  for (const Stored& cookie : cookies_) {
    if (cookie.expires <= now || (cookie.secure && !secure)) continue;
    if (!path_matches(path, cookie.path)) continue;
    if (!text.empty()) text += "; ";
    text += cookie.name + '=' + cookie.value;
  }
  return text;
}

std::optional<std::string> CookieJar::value(std::string_view name, Clock::time_point now) const {
  for (const Stored& cookie : cookies_) {
    if (cookie.name == name && cookie.expires > now) return cookie.value;
  }
  return std::nullopt;
}

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
