#include <algorithm>

#include <viaduct/request.hpp>

#include "sdk/src/percent.hpp"
#include "sdk/src/request_state.hpp"

namespace viaduct {
inline namespace v1 {
namespace {

bool says_yes(std::string_view value) {
  return value == "on" || value == "ON" || value == "On" || value == "1" || value == "https";
}

}  // namespace

Request::Request(detail::RequestState& state) : state_(&state) {}

std::string_view Request::id() const {
  return state_->id();
}
Role Request::role() const {
  return static_cast<Role>(state_->head().role);
}
std::string_view Request::method() const {
  return state_->variables().method;
}
std::string_view Request::target() const {
  const std::string_view uri = state_->variables().request_uri;
  return uri.empty() ? path() : uri;
}

std::string_view Request::scheme() const {
  const std::string_view https = state_->variable("HTTPS").value_or("");
  if (says_yes(https)) return "https";
  const auto scheme = state_->variable("REQUEST_SCHEME");
  return scheme && !scheme->empty() ? *scheme : "http";
}

std::string_view Request::host() const {
  if (!state_->authority().empty()) return state_->authority();
  const auto host = state_->variable("HTTP_HOST");
  if (host && !host->empty()) return *host;
  return state_->variable("SERVER_NAME").value_or("");
}

std::string_view Request::script_name() const {
  return state_->path().script_name;
}
std::string_view Request::path() const {
  return state_->path().path;
}
std::string_view Request::raw_path() const {
  return state_->path().raw_path;
}
std::string_view Request::raw_query() const {
  return state_->variables().query_string;
}
const Values& Request::query() const {
  return state_->query();
}
const Fields& Request::headers() const {
  return state_->headers();
}

std::optional<std::string_view> Request::cookie(std::string_view name) const {
  return state_->cookie(name);
}
std::optional<std::string_view> Request::env(std::string_view name) const {
  return state_->variable(name);
}
std::optional<std::string_view> Request::arg(std::string_view name) const {
  return state_->capture(name);
}

std::string_view Request::captured(std::string_view name) const {
  if (const auto value = state_->capture(name)) return *value;
  throw std::logic_error("the route has no capture {" + std::string(name) + "}");
}

std::string Request::url(std::string_view path) const {
  std::string url;
  const detail::RequestPath& own = state_->path();
  detail::percent_encode_path(std::string_view(own.script_name).substr(0, own.outside), url);
  url += own.mounted;
  if (!path.starts_with('/')) url += '/';
  detail::percent_encode_path(path, url);
  // Two of them would begin the name of a host.
  const std::size_t slashes = std::min(url.find_first_not_of('/'), url.size());
  if (slashes == 0) return '/' + url;
  url.erase(0, slashes - 1);
  return url;
}

std::string_view Request::remote_addr() const {
  return state_->variable("REMOTE_ADDR").value_or("");
}

unsigned Request::remote_port() const {
  const std::string_view text = state_->variable("REMOTE_PORT").value_or("");
  unsigned port = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, port);
  return parsed.ec == std::errc() && parsed.ptr == end && port <= 65535 ? port : 0;
}

Body& Request::body() {
  return state_->body();
}
Body& Request::data() {
  return state_->data();
}
const Form& Request::form(const FormLimits& limits) {
  return state_->form(limits);
}
std::optional<Part> Request::next_part(const FormLimits& limits) {
  return state_->next_part(limits);
}
std::stop_token Request::stop() const {
  return state_->control().stop();
}
bool Request::draining() const {
  return state_->control().draining();
}
std::chrono::steady_clock::time_point Request::deadline() const {
  return state_->control().deadline();
}
std::shared_ptr<void>& Request::slot(detail::TypeKey type) {
  return state_->local(type);
}

}  // namespace v1
}  // namespace viaduct
