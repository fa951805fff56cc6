#include "protocol/forwarded_field.hpp"

#include <algorithm>

#include "protocol/text.hpp"

namespace viaduct::protocol {
namespace {

// Whether an odd number of backslashes stands before text[at].
bool is_escaped(std::string_view text, std::size_t at) {
  std::size_t begin = at;
  while (begin > 0 && text[begin - 1] == '\\') --begin;
  return (at - begin) % 2 == 1;
}

// The first `c` outside quoted strings, or the size of the text.
std::size_t find_unquoted(std::string_view text, char c) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] == c) {
      return i;
    }
  }
  return text.size();
}

void take_pair(std::string_view pair, ForwardedElement& element) {
  const std::size_t equals = pair.find('=');
  if (equals == std::string_view::npos) return;
  const std::string_view name = pair.substr(0, equals);
  std::string_view* const place = equal_nocase(name, "for")     ? &element.client
                                  : equal_nocase(name, "proto") ? &element.scheme
                                  : equal_nocase(name, "host")  ? &element.host
                                                                : nullptr;
  if (place == nullptr) return;
  element.repeats = element.repeats || !place->empty();
  *place = pair.substr(equals + 1);
}

// "" or ":" and a port, which may be obfuscated (RFC 7239 section 6).
bool is_port_part(std::string_view text) {
  return text.empty() || (text.size() > 1 && text.front() == ':' && is_token(text.substr(1)));
}

}  // namespace

std::optional<std::string_view> ReverseList::next() {
  while (!ended_) {
    const std::size_t comma = last_comma();
    ended_ = comma == std::string_view::npos;
    const std::string_view element = trim(ended_ ? rest_ : rest_.substr(comma + 1));
    rest_ = rest_.substr(0, ended_ ? 0 : comma);
    if (!element.empty()) return element;
  }
  return std::nullopt;
}

std::size_t ReverseList::last_comma() const {
  if (commas_ == Commas::separate) return rest_.rfind(',');
  bool quoted = false;
  for (std::size_t i = rest_.size(); i-- > 0;) {
    if (rest_[i] == '"') {
      quoted = !quoted || is_escaped(rest_, i);
    } else if (rest_[i] == ',' && !quoted) {
      return i;
    }
  }
  return std::string_view::npos;
}

ForwardedElement parse_forwarded_element(std::string_view element) {
  ForwardedElement parsed;
  while (!element.empty()) {
    const std::size_t end = find_unquoted(element, ';');
    take_pair(trim(element.substr(0, end)), parsed);
    element.remove_prefix(std::min(end + 1, element.size()));
  }
  return parsed;
}

std::string unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string plain;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && i + 2 < text.size()) ++i;
    plain.push_back(text[i]);
  }
  return plain;
}

std::optional<IpBytes> parse_forwarded_node(std::string_view node) {
  if (node.starts_with('[')) {
    const std::size_t bracket = node.find(']');
    if (bracket == std::string_view::npos || !is_port_part(node.substr(bracket + 1))) {
      return std::nullopt;
    }
    const std::string_view address = node.substr(1, bracket - 1);
    return address.find(':') == std::string_view::npos ? std::nullopt : parse_ip(address);
  }
  const std::size_t colon = node.find(':');
  const bool port = colon != std::string_view::npos && node.find(':', colon + 1) == node.npos;
  if (!port) return parse_ip(node);
  return is_port_part(node.substr(colon)) ? parse_ip(node.substr(0, colon)) : std::nullopt;
}

}  // namespace viaduct::protocol
