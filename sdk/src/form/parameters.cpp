#include "sdk/src/form/parameters.hpp"

#include <algorithm>

#include "protocol/text.hpp"
#include "sdk/src/chars.hpp"
#include "sdk/src/percent.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

// No type or disposition has so many; each is compared with those before it.
constexpr std::size_t kMostParameters = 32;

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), ascii_lower);
  return result;
}

// Takes the quoted string that `rest` begins with; false when it does not end.
bool take_quoted(std::string_view& rest, std::string& value) {
  for (std::size_t at = 1; at < rest.size(); ++at) {
    char c = rest[at];
    if (c == '"') {
      rest.remove_prefix(at + 1);
      return true;
    }
    const bool escape = c == '\\' && at + 1 < rest.size();
    if (escape && (rest[at + 1] == '"' || rest[at + 1] == '\\')) c = rest[++at];
    value += c;
  }
  return false;
}

// Takes `name=value`, up to the next ';' or the end.
bool take_parameter(std::string_view& rest, std::pair<std::string, std::string>& parameter) {
  const std::size_t equals = rest.find('=');
  const std::string_view name = protocol::trim(rest.substr(0, equals));
  if (equals == std::string_view::npos || !is_token(name)) return false;
  parameter.first = lower(name);
  rest = protocol::trim(rest.substr(equals + 1));
  if (rest.starts_with('"')) {
    if (!take_quoted(rest, parameter.second)) return false;
    rest = protocol::trim(rest);
    return rest.empty() || rest.front() == ';';
  }
  const std::size_t end = std::min(rest.find(';'), rest.size());
  parameter.second = protocol::trim(rest.substr(0, end));
  rest.remove_prefix(end);
  return parameter.second.find('"') == std::string::npos;
}

std::string latin1_to_utf8(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      result += c;
    } else {
      result += static_cast<char>(0xc0 | (byte >> 6));
      result += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return result;
}

}  // namespace

std::optional<std::string_view> Parameterized::get(std::string_view name) const {
  for (const auto& [key, text] : parameters) {
    if (key == name) return text;
  }
  return std::nullopt;
}

std::optional<Parameterized> parse_parameters(std::string_view text) {
  Parameterized parsed;
  const std::size_t end = std::min(text.find(';'), text.size());
  parsed.value = lower(protocol::trim(text.substr(0, end)));
  if (parsed.value.empty()) return std::nullopt;
  std::string_view rest = text.substr(end);
  while (!rest.empty()) {
    rest = protocol::trim(rest.substr(1));
    if (rest.empty() || rest.front() == ';') continue;  // RFC 9110 allows for empty ones
    if (parsed.parameters.size() == kMostParameters) return std::nullopt;
    std::pair<std::string, std::string> parameter;
    if (!take_parameter(rest, parameter) || parsed.get(parameter.first)) return std::nullopt;
    parsed.parameters.push_back(std::move(parameter));
  }
  return parsed;
}

std::optional<std::string> decode_extended(std::string_view text) {
  const std::size_t first = text.find('\'');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('\'', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const std::string charset = lower(text.substr(0, first));
  std::string decoded;
  if (!percent_decode(text.substr(second + 1), decoded)) return std::nullopt;
  if (charset == "utf-8") return decoded;
  if (charset == "iso-8859-1") return latin1_to_utf8(decoded);
  return std::nullopt;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
