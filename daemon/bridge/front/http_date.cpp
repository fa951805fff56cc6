#include "daemon/bridge/front/http_date.hpp"

#include <fmt/format.h>

namespace viaduct::daemon::bridge {

namespace {

// Not strftime(), whose names follow the locale.
constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

std::string_view HttpDate::text(std::time_t now) {
  if (now != second_) {
    std::tm utc{};
    if (::gmtime_r(&now, &utc) == nullptr || utc.tm_year > 9999 - 1900) return {};
    const auto end =
        fmt::format_to_n(text_.data(), text_.size() - 1, "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                         kDays.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                         kMonths.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900,
                         utc.tm_hour, utc.tm_min, utc.tm_sec);
    *end.out = '\0';
    second_ = now;
  }
  return text_.data();
}

}  // namespace viaduct::daemon::bridge
