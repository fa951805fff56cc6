// A Range field, and the If-Range beside it. The input is lines: the size of the representation in
// decimal, its entity tag, Range, and If-Range where there is a fourth.

#include <algorithm>
#include <limits>

#include "sdk/src/fields_access.hpp"
#include "sdk/src/files/byte_range.hpp"
#include "sdk/src/files/http_date.hpp"
#include "sdk/src/files/preconditions.hpp"
#include "tests/fuzz/invariants.hpp"
#include "tests/fuzz/lines.hpp"

namespace {

using namespace viaduct;
using detail::ByteRange;
using Kind = ByteRange::Kind;

constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();

bool same(const ByteRange& a, const ByteRange& b) {
  return a.kind == b.kind && a.first == b.first && a.length == b.length;
}

bool digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Whether one decimal is below another, of any length.
bool below(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// Positions beyond 64 bits are all the same one: behind every end.
std::string_view cap(std::string_view number) {
  static const std::string kLast = std::to_string(kMax);
  return below(kLast, number) ? kLast : number;
}

// What the field means by the grammar of RFC 9110 section 14.1.1, without arithmetic: "bytes=" was
// found in front of `spec`, and blanks are gone.
Kind meant(std::string_view spec, std::uint64_t size) {
  if (size == 0) return Kind::whole;  // nothing to have a part of
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return Kind::whole;
  const std::string_view from = spec.substr(0, dash);
  const std::string_view to = spec.substr(dash + 1);
  if (from.empty()) {
    if (!digits(to)) return Kind::whole;
    return !below("0", to) ? Kind::unsatisfiable : Kind::part;
  }
  if (!digits(from) || (!to.empty() && (!digits(to) || below(cap(to), cap(from)))))
    return Kind::whole;
  return below(from, std::to_string(size)) ? Kind::part : Kind::unsatisfiable;
}

void check_part(const ByteRange& range, std::uint64_t size) {
  test::require(range.length > 0 && range.first < size, "a part is empty or begins behind the end");
  test::require(range.length <= size - range.first, "a part ends behind the end");
  const std::string first = std::to_string(range.first);
  const std::string last = std::to_string(range.first + range.length - 1);
  test::require(same(detail::parse_range("bytes=" + first + "-" + last, size), range),
                "what was understood does not mean itself");
  const ByteRange to_the_end{Kind::part, range.first, size - range.first};
  test::require(same(detail::parse_range("bytes=" + first + "-", size), to_the_end) &&
                    same(detail::parse_range("bytes=-" + std::to_string(to_the_end.length), size),
                         to_the_end),
                "two ways to ask for the end differ");
}

void check_range(std::string_view field, std::uint64_t size) {
  const ByteRange range = detail::parse_range(field, size);
  if (range.kind == Kind::part) {
    check_part(range, size);
  } else {
    test::require(range.first == 0 && range.length == 0, "bytes of no part");
  }
  const std::string text(field);
  test::require(same(detail::parse_range(" \t" + text + "\t ", size), range), "blanks count");
  test::require(detail::parse_range(text + ",0-0", size).kind == Kind::whole &&
                    detail::parse_range("bytes=0-0," + text, size).kind == Kind::whole,
                "one of several ranges is served");

  const std::string spec(test::trim_blanks(field));
  for (const std::string unit : {"bytes=", "Bytes=", "BYTES="}) {
    test::require(detail::parse_range(unit + spec, size).kind == meant(spec, size),
                  "a range is not what the grammar says");
  }
}

void check_condition(std::string_view condition, const std::string& etag, std::time_t modified) {
  const detail::Validators current{.etag = etag, .modified = modified};
  Fields fields;
  test::require(detail::range_applies(fields, current), "If-Range is missed that was not sent");
  detail::FieldsAccess::append(fields, "If-Range", condition);
  const bool applies = detail::range_applies(fields, current);
  const bool same_tag = condition == etag && etag.starts_with('"');
  const bool same_time = detail::parse_http_date(condition) == modified;
  test::require(applies == (same_tag || same_time), "another version's range is served, or none");

  Fields date;
  detail::FieldsAccess::append(date, "If-Range", detail::format_http_date(modified));
  test::require(detail::range_applies(date, current), "a version's own date does not name it");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::string_view> lines = test::split_lines(test::input(data, size));
  if (lines.size() < 3) return 0;
  const std::uint64_t bytes = test::decimal(lines[0]).value_or(kMax);
  check_range(lines[2], bytes);
  if (lines.size() == 3) return 0;
  // A file is as old as it is long: until the year 9999, which is the last one of an HTTP date.
  check_condition(lines[3], std::string(lines[1]),
                  static_cast<std::time_t>(bytes % test::kEndOfDates));
  return 0;
}
