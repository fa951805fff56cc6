// The preconditions of a request, and the dates in them. The input is lines: the entity tag of what
// there is, when that was modified in seconds, and a line for each field of the request: a letter
// that names it, and its value.

#include <algorithm>
#include <array>
#include <chrono>
#include <initializer_list>
#include <iterator>

#include "sdk/src/fields_access.hpp"
#include "sdk/src/files/http_date.hpp"
#include "sdk/src/files/preconditions.hpp"
#include "tests/fuzz/invariants.hpp"
#include "tests/fuzz/lines.hpp"

namespace {

using namespace viaduct;
using detail::evaluate;
using detail::format_http_date;
using detail::names_etag;
using detail::parse_http_date;
using detail::Precondition;
using detail::Validators;
using test::require;

constexpr std::time_t kYearZero = -62167219200;

// ---- dates

// The other two forms of "Sun, 06 Nov 1994 08:49:37 GMT".
std::string asctime_form(const std::string& date) {
  const std::string day = date[5] == '0' ? " " + date.substr(6, 1) : date.substr(5, 2);
  return date.substr(0, 3) + " " + date.substr(8, 3) + " " + day + " " + date.substr(17, 8) + " " +
         date.substr(12, 4);
}

std::string rfc850_form(const std::string& date) {
  const std::string name = date.substr(0, 3);
  const std::string rest = name == "Tue"   ? "s"
                           : name == "Wed" ? "nes"
                           : name == "Thu" ? "rs"
                           : name == "Sat" ? "ur"
                                           : "";
  return name + rest + "day, " + date.substr(5, 2) + "-" + date.substr(8, 3) + "-" +
         date.substr(14, 2) + date.substr(16, 13);
}

void check_time(std::time_t time) {
  if (time < kYearZero || time >= test::kEndOfDates) return;
  const std::string date = format_http_date(time);
  require(date.size() == 29 && date.ends_with(" GMT"), "a date is not of the form to send");
  require(parse_http_date(date) == time, "a date is read as another than was written");
  require(parse_http_date(asctime_form(date)) == time, "asctime's form is another date");

  using namespace std::chrono;
  const int now = static_cast<int>(year_month_day(floor<days>(system_clock::now())).year());
  const int year = std::stoi(date.substr(12, 4));
  // Two digits mean a year of this century that is not too far ahead, or else one of the last.
  if (year / 100 <= now / 100 && std::abs(year - now) < 49) {
    require(parse_http_date(rfc850_form(date)) == time, "RFC 850's form is another date");
  }
}

void check_date(std::string_view text) {
  const auto time = parse_http_date(text);
  if (!time) return;
  // A leap second may be the first one of the year after.
  require(*time >= kYearZero && *time <= test::kEndOfDates, "a date of no year with four digits");
  check_time(*time);
  const std::string date(text);
  require(
      !parse_http_date(date + " ") && !parse_http_date(" " + date) && !parse_http_date(date + date),
      "a date with something around it is one");
}

// ---- entity tags

bool is_etag(std::string_view text) {
  if (text.starts_with("W/")) text.remove_prefix(2);
  return text.size() >= 2 && text.front() == '"' && text.find('"', 1) == text.size() - 1;
}

// An entity tag of the field's bytes: weak ones are those of an odd length.
std::string etag_of(std::string_view text) {
  std::string tag = text.size() % 2 == 1 ? "W/\"" : "\"";
  std::copy_if(text.begin(), text.end(), std::back_inserter(tag), [](char c) { return c != '"'; });
  return tag + '"';
}

std::string_view opaque(std::string_view etag) {
  return etag.starts_with("W/") ? etag.substr(2) : etag;
}

void check_list(std::string_view list, const std::string& etag) {
  const bool star = test::trim_blanks(list) == "*";
  const bool weak = names_etag(list, etag, true);
  const bool strong = names_etag(list, etag, false);
  require(!strong || weak, "two tags are the same strongly, but not weakly");
  require(!star || strong, "* does not name what there is");
  if (star) return;
  require(!weak || is_etag(etag), "what is no entity tag is named");
  require(!strong || !etag.starts_with("W/"), "a weak tag is the same strongly");
  const std::string more = std::string(list) + ", \"other\"";
  require(!weak || names_etag(more, etag, true), "a longer list names less");
  require(!strong || names_etag(more, etag, false), "a longer list names less");
  if (!is_etag(etag)) return;
  const std::string other(etag.starts_with("W/") ? etag.substr(2) : "W/" + etag);
  require(names_etag(list, other, true) == weak, "the weak comparison minds W/");
  require(names_etag(std::string(etag) + " , " + std::string(list), etag, true),
          "a tag is not found in front of a list");
}

void check_well_formed(const std::vector<std::string>& tags) {
  std::string list;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    list += (i == 0 ? "" : i % 3 == 0 ? "," : i % 3 == 1 ? ", " : "\t,, ") + tags[i];
  }
  for (const std::string& tag : tags) {
    require(names_etag(list, tag, true), "a tag of the list is not found");
    require(names_etag(list, tag, false) == !tag.starts_with("W/"), "a strong tag is not found");
    const std::string changed = tag.substr(0, tag.size() - 1) + "\x01\"";
    const bool there = std::any_of(tags.begin(), tags.end(), [&](const std::string& other) {
      return opaque(other) == opaque(changed);
    });
    require(names_etag(list, changed, true) == there, "a tag is found that is not in the list");
  }
}

// ---- the whole request

Fields only(const Fields& all, std::initializer_list<std::string_view> names) {
  Fields some;
  for (const auto& [name, value] : all.items()) {
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      detail::FieldsAccess::append(some, name, value);
    }
  }
  return some;
}

void check_request(const Fields& request, const Validators& current) {
  const Fields match = only(request, {"If-Match"});
  const Fields unmodified = only(request, {"If-Unmodified-Since"});
  const Fields none = only(request, {"If-None-Match"});
  const Fields modified = only(request, {"If-Modified-Since"});

  // RFC 9110 section 13.2.2: of each pair the entity tags count where there are any, and the second
  // pair only when the first has been met.
  const Precondition first = evaluate(match.items().empty() ? unmodified : match, current);
  const Precondition second = evaluate(none.items().empty() ? modified : none, current);
  require(first != Precondition::not_modified && second != Precondition::failed,
          "a precondition has the other one's outcome");
  require(evaluate(request, current) == (first == Precondition::met ? second : first),
          "preconditions are not evaluated in their order");

  Validators newer = current;
  ++newer.modified;
  require(evaluate(unmodified, current) != Precondition::failed ||
              evaluate(unmodified, newer) == Precondition::failed,
          "what has been modified is not once it is newer");
  require(evaluate(modified, newer) != Precondition::not_modified ||
              evaluate(modified, current) == Precondition::not_modified,
          "what has not been modified has been when it is older");
}

std::string_view name_of(char letter) {
  constexpr std::array<std::string_view, 4> kNames{"If-Match", "If-None-Match", "If-Modified-Since",
                                                   "If-Unmodified-Since"};
  return kNames[static_cast<unsigned char>(letter) % kNames.size()];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::string_view> lines = test::split_lines(test::input(data, size));
  if (lines.size() < 2) return 0;
  const bool before_1970 = lines[1].starts_with('-');
  const std::uint64_t seconds =
      test::decimal(lines[1].substr(before_1970 ? 1 : 0)).value_or(0) % test::kEndOfDates;
  const Validators current{.etag = std::string(lines[0]),
                           .modified = static_cast<std::time_t>(seconds) * (before_1970 ? -1 : 1)};
  check_time(current.modified);

  Fields request;
  std::vector<std::string> tags;
  for (std::size_t i = 2; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::string_view value = lines[i].substr(1);
    check_date(value);
    check_list(value, current.etag);
    if (tags.size() < 8) tags.push_back(etag_of(value));
    detail::FieldsAccess::append(request, std::string(name_of(lines[i][0])), value);
  }
  check_well_formed(tags);
  check_request(request, current);
  return 0;
}
