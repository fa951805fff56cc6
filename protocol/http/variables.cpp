#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/absolute_target.hpp"
#include "protocol/forwarded.hpp"
#include "protocol/host_port.hpp"
#include "protocol/http/request_head.hpp"
#include "protocol/text.hpp"

namespace viaduct::protocol::http {
namespace {

struct Target {
  std::optional<AbsoluteTarget> absolute;
  std::string_view path;  // percent-encoded
  std::string_view query;
};

// origin-form, absolute-form or `*` (RFC 9112 section 3.2); CONNECT is for proxies.
std::optional<Target> split(const WireHead& head) {
  std::string_view rest = head.target;
  if (head.method == "CONNECT" || rest.find('#') != std::string_view::npos) return std::nullopt;
  Target target;
  if (rest == "*") return head.method == "OPTIONS" ? std::optional(target) : std::nullopt;
  if (!rest.starts_with('/')) {
    target.absolute = split_absolute(rest);
    if (!target.absolute) return std::nullopt;
    rest = target.absolute->tail;
  }
  const std::size_t mark = rest.find('?');
  target.path = rest.substr(0, mark);
  if (target.path.empty()) target.path = "/";
  if (mark != std::string_view::npos) target.query = rest.substr(mark + 1);
  return target;
}

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view path) {
  std::string text(path);
  std::size_t size = 0;
  for (std::size_t i = 0; i < path.size(); ++i, ++size) {
    if (path[i] != '%') {
      text[size] = path[i];
      continue;
    }
    if (path.size() - i < 3 || hex(path[i + 1]) < 0 || hex(path[i + 2]) < 0) return std::nullopt;
    text[size] = static_cast<char>(hex(path[i + 1]) << 4 | hex(path[i + 2]));
    i += 2;
  }
  text.resize(size);
  return text;
}

struct FieldVariable {
  std::string name;  // HTTP_USER_AGENT of User-Agent
  bool odd = false;  // another field could share it
};

FieldVariable variable_of(std::string_view field) {
  constexpr std::string_view kPrefix = "HTTP_";
  FieldVariable variable{std::string(kPrefix.size() + field.size(), '_')};
  char* to = variable.name.data();
  to = std::copy(kPrefix.begin(), kPrefix.end(), to);
  for (const char c : field) {
    if (c >= 'a' && c <= 'z') {
      *to = static_cast<char>(c - 'a' + 'A');
    } else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
      *to = c;
    } else {
      variable.odd = variable.odd || c != '-';
    }
    ++to;
  }
  return variable;
}

// Variables that others believe, whoever sent the field.
bool is_believed(std::string_view variable) {
  return variable.starts_with("HTTP_CONTENT_") || variable.starts_with("HTTP_PROXY") ||
         is_forwarded(variable);
}

// Adds variables until one is not admitted.
class Adder {
 public:
  explicit Adder(Variables& to) : to_(to) {}
  void operator()(std::string_view name, std::string_view value) {
    if (error_ == Errc::ok) error_ = to_.admit(name.size(), value.size());
    if (error_ == Errc::ok) to_.add(name, value);
  }
  void if_said(std::string_view name, std::string_view value) {
    if (!value.empty()) (*this)(name, value);
  }
  [[nodiscard]] Errc error() const { return error_; }

 private:
  Variables& to_;
  Errc error_ = Errc::ok;
};

std::string_view host_of(const WireHead& head, const Target& target) {
  if (target.absolute) return target.absolute->authority;
  for (const auto& [name, value] : head.fields) {
    if (equal_nocase(name, "Host")) return value;
  }
  return {};
}

// Returns how many odd fields there are.
std::uint32_t add_fields(const WireHead& head, Adder& add) {
  std::uint32_t odd = 0;
  for (const auto& [name, value] : head.fields) {
    if (equal_nocase(name, "Host")) continue;
    if (equal_nocase(name, "Content-Length")) {
      add("CONTENT_LENGTH", value);
    } else if (equal_nocase(name, "Content-Type")) {
      add("CONTENT_TYPE", value);
    } else if (const FieldVariable variable = variable_of(name); variable.odd) {
      ++odd;
    } else {
      add(variable.name, value);
    }
  }
  return odd;
}

// Behind all others, so that whether one stands for another field does not depend on their order.
// Returns how many were kept.
std::uint32_t add_odd_fields(const WireHead& head, const Variables& variables, Adder& add) {
  std::vector<std::string_view> taken;
  for (const auto& [name, value] : variables.received()) taken.push_back(name);
  std::sort(taken.begin(), taken.end());
  std::vector<std::pair<std::string, std::string_view>> kept;
  for (const auto& [name, value] : head.fields) {
    FieldVariable variable = variable_of(name);
    if (!variable.odd || is_believed(variable.name)) continue;
    if (std::binary_search(taken.begin(), taken.end(), variable.name)) continue;
    kept.emplace_back(std::move(variable.name), value);
  }
  for (const auto& [name, value] : kept) add(name, value);
  return static_cast<std::uint32_t>(kept.size());
}

}  // namespace

bool concerns_server(const WireHead& head) {
  if (head.method != "OPTIONS") return false;
  if (head.target == "*") return true;
  const auto target = split(head);
  return target && target->absolute && target->absolute->tail.empty();
}

Errc add_variables(const WireHead& head, const ConnectionInfo& connection, OddNames odd,
                   Variables& to, std::uint32_t& dropped) {
  const auto target = split(head);
  if (!target) return Errc::bad_request_line;
  const auto path = decode(target->path);
  if (!path) return Errc::bad_request_line;
  const std::string_view authority = host_of(head, *target);
  const auto [host, port] = split_host(authority);
  const std::string_view usual = connection.scheme == "https" ? "443" : "80";

  Adder add(to);
  add("GATEWAY_INTERFACE", "CGI/1.1");
  add("SERVER_SOFTWARE", connection.software);
  add("SERVER_PROTOCOL", head.http11 ? "HTTP/1.1" : "HTTP/1.0");
  add("SERVER_NAME", !host.empty()                     ? host
                     : !connection.server_addr.empty() ? std::string_view(connection.server_addr)
                                                       : "localhost");
  add("SERVER_PORT", !connection.server_port.empty() ? std::string_view(connection.server_port)
                     : !port.empty()                 ? port
                                                     : usual);
  add.if_said("SERVER_ADDR", connection.server_addr);
  add("REMOTE_ADDR", connection.remote_addr);
  add.if_said("REMOTE_PORT", connection.remote_port);
  add("REQUEST_METHOD", head.method);
  add("REQUEST_SCHEME", connection.scheme);
  if (target->absolute) {
    add("REQUEST_URI", target->absolute->origin_form());
  } else {
    add("REQUEST_URI", head.target);
  }
  add("SCRIPT_NAME", "");
  add("PATH_INFO", *path);
  add("QUERY_STRING", target->query);
  if (connection.scheme == "https") add("HTTPS", "on");
  add.if_said("HTTP_HOST", authority);
  dropped = add_fields(head, add);
  if (odd == OddNames::keep && dropped > 0) dropped -= add_odd_fields(head, to, add);
  return add.error();
}

}  // namespace viaduct::protocol::http
