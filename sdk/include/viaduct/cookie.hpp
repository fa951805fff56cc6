#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <viaduct/export.hpp>

namespace viaduct {
inline namespace v1 {

/// A cookie to set (RFC 6265 section 4.1) with Response::cookie(), which checks it. Defaults are
/// the careful ones: sent over https only, hidden from scripts, not sent along with foreign forms.
struct Cookie {
  std::string name;         ///< a token
  std::string value;        ///< visible ASCII without '"', ',', ';' and '\\'; encode anything else
  std::string path = "/";   ///< empty: the path of the request
  std::string domain = {};  ///< empty: this host only
  std::string same_site = "Lax";  ///< "Strict", "Lax", "None", or empty to leave it out
  std::optional<std::chrono::seconds> max_age = {};  ///< absent: until the browser closes
  bool secure = true;                                ///< sent over https only
  bool http_only = true;                             ///< hidden from scripts
};

}  // namespace v1
}  // namespace viaduct
