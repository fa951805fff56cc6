#include "sdk/src/path.hpp"

#include "sdk/src/percent.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

// The path of a request target in origin or absolute form (RFC 9112 section 3.2).
std::string_view path_of(std::string_view target) {
  if (!target.empty() && target.front() != '/') {
    const std::size_t authority = target.find("://");
    if (authority != std::string_view::npos) {
      const std::size_t slash = target.find('/', authority + 3);
      target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
  }
  return target.substr(0, target.find('?'));
}

struct Split {
  std::string_view script;
  std::string_view info;
};

Split split(const PathVariables& variables) {
  const std::string_view script = variables.script_name;
  const std::string_view info = variables.path_info.value_or("");
  const bool by_name =
      !variables.script_filename.empty() && variables.script_filename == variables.program;
  const bool whole_in_script = (!variables.path_info.has_value() && !by_name) ||
                               (info.empty() && (variables.script_filename.starts_with("proxy:") ||
                                                 variables.server_software.starts_with("Caddy")));
  if (!whole_in_script && !(script.empty() && info.empty())) return {script, info};
  if (!script.empty()) return {"", script};
  return {"", variables.document_uri};
}

// Where in `encoded` the character stands that decodes to the one at `position` of its decoded
// form.
std::size_t encoded_offset(std::string_view encoded, std::size_t position) {
  std::size_t at = 0;
  for (; position > 0; --position) at += encoded[at] == '%' ? 3 : 1;
  return at;
}

}  // namespace

bool derive_path(const PathVariables& variables, RequestPath& to) {
  const std::string_view uri = path_of(variables.request_uri);
  auto [script, info] = split(variables);
  while (script.ends_with('/')) script.remove_suffix(1);

  to.mounted.clear();
  to.path.clear();
  if (!percent_decode(uri, to.path) || to.path.find('\0') != std::string::npos) {
    to.script_name.clear();
    to.outside = 0;
    to.path = uri;
    to.raw_path = uri;
    return false;
  }

  to.script_name = script;
  to.outside = script.size();
  const bool nothing_said = script.empty() && info.empty();
  const bool agrees = to.path.size() == script.size() + info.size() &&
                      to.path.starts_with(script) && to.path.ends_with(info);
  if (nothing_said) {
    to.raw_path = uri;
  } else if (agrees) {
    to.raw_path = uri.substr(encoded_offset(uri, script.size()));
    to.path = info;
  } else {
    to.path.clear();
    if (!info.starts_with('/')) to.path = "/";
    to.path += info;
    to.raw_path.clear();
    percent_encode_path(to.path, to.raw_path);
  }
  if (to.path.empty()) to.path = "/";
  if (to.raw_path.empty()) to.raw_path = "/";
  return true;
}

void descend(RequestPath& path, std::size_t segments) {
  std::string_view rest = path.raw_path;
  for (; segments > 0 && rest.starts_with('/'); --segments) {
    const std::size_t slash = rest.find('/', 1);
    const std::string_view raw =
        rest.substr(1, slash == std::string_view::npos ? slash : slash - 1);
    rest.remove_prefix(raw.size() + 1);
    std::string segment;
    if (!percent_decode(raw, segment)) break;
    path.script_name += '/' + segment;
    // A slash that was encoded must stay so in links, where it could begin a host ("//host/").
    path.mounted += '/';
    for (std::string_view left = segment; true;) {
      const std::size_t inner = left.find('/');
      percent_encode_path(left.substr(0, inner), path.mounted);
      if (inner == std::string_view::npos) break;
      path.mounted += "%2F";
      left.remove_prefix(inner + 1);
    }
  }
  path.path.clear();
  if (rest.empty() || !percent_decode(rest, path.path)) path.path = "/";
  path.raw_path = rest.empty() ? std::string("/") : std::string(rest);
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
