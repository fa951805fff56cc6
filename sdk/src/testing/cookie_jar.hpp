#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <viaduct/fields.hpp>

namespace viaduct {
inline namespace v1 {
namespace testing {

/// Cookies of one host, as a browser keeps them (RFC 6265 section 5): Path, Max-Age and Secure are
/// honoured; Domain, Expires, HttpOnly and SameSite are not looked at.
class CookieJar {
 public:
  using Clock = std::chrono::steady_clock;

  /// Takes the Set-Cookie fields of an answer. `path` is that of the request, without query.
  void store(const Fields& answer, std::string_view path, Clock::time_point now);

  /// The value of a Cookie field for a request of `path`, longer paths first; empty without any.
  /// `secure`: cookies marked Secure are sent.
  [[nodiscard]] std::string header(std::string_view path, bool secure, Clock::time_point now) const;

  [[nodiscard]] std::optional<std::string> value(std::string_view name,
                                                 Clock::time_point now) const;
  void clear() { cookies_.clear(); }

 private:
  struct Stored {
    std::string name;
    std::string value;
    std::string path;
    bool secure = false;
    Clock::time_point expires = Clock::time_point::max();
  };

  void store_one(std::string_view text, std::string_view path, Clock::time_point now);

  std::vector<Stored> cookies_;  // longer paths first, then in the order of their making
};

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
