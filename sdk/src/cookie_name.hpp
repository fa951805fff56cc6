#pragma once

#include <stdexcept>
#include <string>

#include <viaduct/cookie.hpp>

#include "sdk/src/chars.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Throws std::invalid_argument, beginning with `who`, for a cookie that browsers would drop: a
/// name that is no token, a prefix whose conditions are not met (RFC 6265bis section 4.1.3), or
/// SameSite=None without Secure.
inline void require_usable_cookie(const std::string& who, const Cookie& cookie) {
  const auto refuse = [&](const char* why) {
    throw std::invalid_argument(who + ": cookie \"" + cookie.name + "\" " + why);
  };
  if (!is_token(cookie.name)) refuse("has a name that is not a token");
  if (cookie.name.starts_with("__Secure-") && !cookie.secure) refuse("needs to be secure");
  if (cookie.name.starts_with("__Host-") &&
      (!cookie.secure || cookie.path != "/" || !cookie.domain.empty())) {
    refuse("needs to be secure, with path \"/\" and without a domain");
  }
  const std::string& site = cookie.same_site;
  if (!site.empty() && site != "Lax" && site != "Strict" && site != "None") {
    refuse("has a same_site other than Lax, Strict and None");
  }
  if (site == "None" && !cookie.secure) refuse("with SameSite=None needs to be secure");
  for (const char c : cookie.path + cookie.domain) {
    if (!is_field_char(c) || c == ';') refuse("has a path or domain that cannot be sent");
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
