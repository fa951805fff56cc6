#include "sdk/src/testing/cgi_variables.hpp"

#include <algorithm>
#include <string_view>

#include "sdk/src/chars.hpp"
#include "sdk/src/percent.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {
namespace {

using detail::equal_nocase;

// User-Agent -> HTTP_USER_AGENT
std::string variable_name(std::string_view field) {
  if (equal_nocase(field, "Content-Type")) return "CONTENT_TYPE";
  std::string name = "HTTP_";
  for (const char c : field) {
    const bool lower = c >= 'a' && c <= 'z';
    name += c == '-' ? '_' : lower ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

// A malformed escape is for the application to refuse.
std::string decoded(std::string_view path) {
  std::string text;
  return detail::percent_decode(path, text) ? text : std::string(path);
}

std::string_view find(const CgiVariables& variables, std::string_view name) {
  for (const auto& [known, value] : variables) {
    if (known == name) return value;
  }
  return {};
}

void put(CgiVariables& variables, std::string_view name, std::string_view value) {
  const auto known = std::find_if(variables.begin(), variables.end(),
                                  [name](const auto& item) { return item.first == name; });
  if (known != variables.end()) {
    known->second = value;
  } else {
    variables.emplace_back(name, value);
  }
}

}  // namespace

CgiVariables cgi_variables(const Outgoing& request, bool length_needed) {
  const std::string_view target = request.target;
  const std::size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  std::string host(request.fields.get("Host").value_or("localhost"));
  host.resize(std::min(host.size(), host.find(':')));

  CgiVariables variables;
  if (const auto length = request.fields.get("Content-Length")) {
    variables.emplace_back("CONTENT_LENGTH", *length);
  } else if (length_needed || request.announces_length()) {
    variables.emplace_back("CONTENT_LENGTH", std::to_string(request.body_size()));
  }
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, std::string_view>>{
           {"REQUEST_METHOD", request.method},
           {"REQUEST_URI", target},
           {"QUERY_STRING", question == target.npos ? "" : target.substr(question + 1)},
           {"SCRIPT_NAME", ""},
           {"GATEWAY_INTERFACE", "CGI/1.1"},
           {"SERVER_PROTOCOL", "HTTP/1.1"},
           {"REQUEST_SCHEME", "http"},
           {"SERVER_NAME", host},
           {"SERVER_PORT", "80"},
           {"REMOTE_ADDR", "127.0.0.1"},
           {"REMOTE_PORT", "49152"}}) {
    variables.emplace_back(name, value);
  }
  if (!request.id.empty()) variables.emplace_back("REQUEST_ID", request.id);
  for (const auto& [name, value] : request.fields.items()) {
    if (!equal_nocase(name, "Content-Length")) variables.emplace_back(variable_name(name), value);
  }
  for (const auto& [name, value] : request.env) put(variables, name, value);

  const std::string whole = decoded(path);
  std::string_view script = find(variables, "SCRIPT_NAME");
  while (script.ends_with('/')) script.remove_suffix(1);
  const bool mounted = std::string_view(whole).starts_with(script) &&
                       (whole.size() == script.size() || whole[script.size()] == '/');
  const bool named = std::any_of(request.env.begin(), request.env.end(),
                                 [](const auto& item) { return item.first == "PATH_INFO"; });
  if (!named) put(variables, "PATH_INFO", mounted ? whole.substr(script.size()) : whole);
  return variables;
}

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
