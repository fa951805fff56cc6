#pragma once

#include <array>
#include <ctime>
#include <string_view>

namespace viaduct::daemon::bridge {

/// The Date field of HTTP responses (RFC 9110 section 5.6.7), made once a second.
class HttpDate {
 public:
  /// Valid until the next call.
  std::string_view text(std::time_t now);

 private:
  std::time_t second_ = -1;
  std::array<char, 32> text_{};
};

}  // namespace viaduct::daemon::bridge
