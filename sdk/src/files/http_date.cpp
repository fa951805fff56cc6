#include "sdk/src/files/http_date.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Takes a text apart from the left; after the first mismatch nothing fits any more.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  Cursor& literal(std::string_view expected) {
    if (!rest_.starts_with(expected)) return fail();
    rest_.remove_prefix(expected.size());
    return *this;
  }
  template <std::size_t N>
  Cursor& name(const std::array<std::string_view, N>& names, unsigned& index) {
    const auto found = std::find_if(names.begin(), names.end(),
                                    [this](std::string_view n) { return rest_.starts_with(n); });
    if (found == names.end()) return fail();
    index = static_cast<unsigned>(found - names.begin());
    return literal(*found);
  }
  Cursor& number(std::size_t digits, int& value) {
    if (rest_.size() < digits) return fail();
    value = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (c < '0' || c > '9') return fail();
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return *this;
  }
  // asctime's day of the month: two digits, the first perhaps a space.
  Cursor& padded_day(int& value) {
    if (!rest_.starts_with(' ')) return number(2, value);
    return literal(" ").number(1, value);
  }
  [[nodiscard]] bool complete() const { return good_ && rest_.empty(); }

 private:
  Cursor& fail() {
    good_ = false;
    rest_ = {};
    return *this;
  }

  std::string_view rest_;
  bool good_ = true;
};

struct Parts {
  unsigned weekday = 0;
  unsigned month = 0;
  int day = 0;
  int year = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

Cursor& time_of_day(Cursor& cursor, Parts& parts) {
  return cursor.number(2, parts.hour)
      .literal(":")
      .number(2, parts.minute)
      .literal(":")
      .number(2, parts.second);
}

bool parse_fixdate(std::string_view text, Parts& parts) {
  Cursor cursor(text);
  cursor.name(kDays, parts.weekday).literal(", ").number(2, parts.day).literal(" ");
  cursor.name(kMonths, parts.month).literal(" ").number(4, parts.year).literal(" ");
  return time_of_day(cursor, parts).literal(" GMT").complete();
}

bool parse_rfc850(std::string_view text, Parts& parts) {
  Cursor cursor(text);
  cursor.name(kLongDays, parts.weekday).literal(", ").number(2, parts.day).literal("-");
  cursor.name(kMonths, parts.month).literal("-").number(2, parts.year).literal(" ");
  if (!time_of_day(cursor, parts).literal(" GMT").complete()) return false;
  // Section 5.6.7: a year that seems more than 50 years ahead is one of the past.
  const year_month_day today(floor<days>(system_clock::now()));
  const int century = static_cast<int>(today.year()) / 100 * 100;
  parts.year += century;
  if (parts.year > static_cast<int>(today.year()) + 50) parts.year -= 100;
  return true;
}

bool parse_asctime(std::string_view text, Parts& parts) {
  Cursor cursor(text);
  cursor.name(kDays, parts.weekday).literal(" ").name(kMonths, parts.month).literal(" ");
  cursor.padded_day(parts.day).literal(" ");
  return time_of_day(cursor, parts).literal(" ").number(4, parts.year).complete();
}

}  // namespace

std::string format_http_date(std::time_t time) {
  const auto point = sys_seconds(seconds(time));
  const auto day = floor<days>(point);
  const year_month_day date(day);
  const hh_mm_ss clock(point - day);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT",
                kDays[weekday(day).c_encoding()].data(), static_cast<unsigned>(date.day()),
                kMonths[static_cast<unsigned>(date.month()) - 1].data(),
                static_cast<int>(date.year()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

std::optional<std::time_t> parse_http_date(std::string_view text) {
  Parts parts;
  if (!parse_fixdate(text, parts) && !parse_rfc850(text, parts) && !parse_asctime(text, parts)) {
    return std::nullopt;
  }
  const year_month_day date(year(parts.year), month(parts.month + 1),
                            day(static_cast<unsigned>(parts.day)));
  // A leap second is written as 60.
  if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
  const sys_seconds point =
      sys_days(date) + hours(parts.hour) + minutes(parts.minute) + seconds(parts.second);
  return static_cast<std::time_t>(point.time_since_epoch().count());
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
