#include "sdk/src/files/preconditions.hpp"

#include "sdk/src/files/http_date.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::string_view kWeak = "W/";

bool same_etag(std::string_view a, std::string_view b, bool weak) {
  if (!weak) return a == b && !a.starts_with(kWeak);
  if (a.starts_with(kWeak)) a.remove_prefix(kWeak.size());
  if (b.starts_with(kWeak)) b.remove_prefix(kWeak.size());
  return a == b;
}

bool is_star(std::string_view list) {
  const std::size_t star = list.find('*');
  return star != std::string_view::npos && list.find_first_not_of(" \t") == star &&
         list.find_last_not_of(" \t") == star;
}

// Takes one entity tag from the front of a list; empty when there is none.
std::string_view take_etag(std::string_view& list) {
  const std::size_t begin = list.find_first_not_of(" \t,");
  if (begin == std::string_view::npos) return {};
  list.remove_prefix(begin);
  const std::size_t open = list.starts_with(kWeak) ? kWeak.size() : 0;
  if (open >= list.size() || list[open] != '"') return {};
  const std::size_t close = list.find('"', open + 1);
  if (close == std::string_view::npos) return {};
  const std::string_view etag = list.substr(0, close + 1);
  list.remove_prefix(close + 1);
  return etag;
}

// Repeated fields are one list (RFC 9110 section 5.3).
bool any_names(const std::vector<std::string_view>& lists, std::string_view etag, bool weak) {
  for (const std::string_view list : lists) {
    if (names_etag(list, etag, weak)) return true;
  }
  return false;
}

std::optional<std::time_t> date(const Fields& request, std::string_view name) {
  const auto text = request.get(name);
  return text ? parse_http_date(*text) : std::nullopt;
}

}  // namespace

bool names_etag(std::string_view list, std::string_view etag, bool weak) {
  if (is_star(list)) return true;
  if (etag.empty()) return false;
  for (auto one = take_etag(list); !one.empty(); one = take_etag(list)) {
    if (same_etag(one, etag, weak)) return true;
  }
  return false;
}

Precondition evaluate(const Fields& request, const Validators& current) {
  if (const auto lists = request.all("If-Match"); !lists.empty()) {
    if (!any_names(lists, current.etag, false)) return Precondition::failed;
  } else if (const auto unmodified = date(request, "If-Unmodified-Since")) {
    if (current.modified > *unmodified) return Precondition::failed;
  }
  if (const auto lists = request.all("If-None-Match"); !lists.empty()) {
    if (any_names(lists, current.etag, true)) return Precondition::not_modified;
  } else if (const auto modified = date(request, "If-Modified-Since")) {
    if (current.modified <= *modified) return Precondition::not_modified;
  }
  return Precondition::met;
}

bool range_applies(const Fields& request, const Validators& current) {
  const auto condition = request.get("If-Range");
  if (!condition) return true;
  if (condition->starts_with('"') || condition->starts_with(kWeak)) {
    return !current.etag.empty() && same_etag(*condition, current.etag, false);
  }
  return parse_http_date(*condition) == current.modified;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
