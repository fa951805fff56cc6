#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// The text of a session's cookie: base64url(content) '.' base64url(HMAC-SHA-256), where the HMAC
/// is over the cookie's name, '=', and what stands before the dot. Content: a version byte, the
/// time it expires in seconds since 1970 (8 bytes, big-endian), then names and values, each with
/// its length (2 bytes, big-endian) in front.
struct SessionContent {
  using Items = std::vector<std::pair<std::string, std::string>>;

  std::chrono::sys_seconds expires;
  Items items;
  bool old_key = false;  ///< signed with another key than the first
};

/// Bytes of the text that these values make.
[[nodiscard]] std::size_t session_size(const SessionContent::Items& items);

[[nodiscard]] std::string sign_session(std::string_view cookie, std::string_view key,
                                       const SessionContent& content);

/// Absent for a text that no key has signed. Whether it has expired is for the caller to say.
[[nodiscard]] std::optional<SessionContent> verify_session(std::string_view cookie,
                                                           const std::vector<std::string>& keys,
                                                           std::string_view text);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
