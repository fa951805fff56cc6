#include "protocol/absolute_target.hpp"

#include <algorithm>

#include "protocol/host_port.hpp"
#include "protocol/pairs.hpp"
#include "protocol/text.hpp"

namespace viaduct::protocol {

std::optional<AbsoluteTarget> split_absolute(std::string_view target) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = target.substr(0, colon);
  if (!equal_nocase(scheme, "http") && !equal_nocase(scheme, "https")) return std::nullopt;
  const std::string_view rest = target.substr(colon + 3);
  const std::string_view authority =
      rest.substr(0, std::min(rest.find_first_of("/?"), rest.size()));
  if (authority.empty() || !is_authority(authority)) return std::nullopt;
  return AbsoluteTarget{authority, rest.substr(authority.size())};
}

std::string AbsoluteTarget::origin_form() const {
  std::string form(tail.starts_with('/') ? "" : "/");
  return form.append(tail);
}

namespace {

// Every request is asked: few other names have the length of this one and its last letter.
std::string_view request_uri(const Pairs& params) {
  constexpr std::string_view kName = "REQUEST_URI";
  for (const Pairs::Item item : params) {
    const bool likely = item.name.size() == kName.size() && item.name.back() == kName.back();
    if (likely && item.name == kName) return item.value;
  }
  return "/";
}

}  // namespace

void take_absolute_target(Pairs& params) {
  const std::string_view target = request_uri(params);
  if (target.starts_with('/')) return;
  const auto split = split_absolute(target);
  if (!split) return;
  const std::string host(split->authority);
  params.set("REQUEST_URI", split->origin_form());
  params.set("HTTP_HOST", host);
}

}  // namespace viaduct::protocol
