#include "sdk/src/request_state.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>

#include "protocol/absolute_target.hpp"
#include "sdk/src/chars.hpp"
#include "sdk/src/cookie_header.hpp"
#include "sdk/src/fields_access.hpp"
#include "sdk/src/guard.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

// The file that this process runs, if it can be told.
const std::string& program() {
  static const std::string path = [] {
    std::error_code unknown;
    return std::filesystem::read_symlink("/proc/self/exe", unknown).string();
  }();
  return path;
}

// HTTP_USER_AGENT -> User-Agent
std::string field_name(std::string_view variable) {
  std::string name;
  name.reserve(variable.size());
  bool first = true;
  for (const char c : variable) {
    name += c == '_' ? '-' : first ? c : ascii_lower(c);
    first = c == '_';
  }
  return name;
}

}  // namespace

void RequestState::begin(protocol::RequestHead& head) {
  std::swap(head_, head);
  head.params.clear();
  variables_ = Variables::scan(head_.params);
  const std::string_view uri = variables_.request_uri;
  if (!uri.empty() && uri.front() != '/') take_absolute(uri);
}

// A target in absolute-form counts as its path and query, and for its host (RFC 9112
// section 3.2.2).
void RequestState::take_absolute(std::string_view uri) {
  const auto absolute = protocol::split_absolute(uri);
  if (!absolute) return;
  authority_ = absolute->authority;
  origin_form_ = absolute->origin_form();
  variables_.request_uri = origin_form_;
}

void RequestState::finish() {
  body_.reset();
  head_.params.clear();
  id_state_.store(IdState::none, std::memory_order_relaxed);
  query_.reset();
  headers_.reset();
  authority_ = {};
  capture_names_ = nullptr;
  capture_values_.clear();
  locals_.clear();
  endings_.clear();
  source_.reset();
}

void RequestState::end() {
  for (; !endings_.empty(); endings_.pop_back()) {
    guard(endings_.back(), [](const std::exception_ptr& error) {
      log(Level::error, "after the answer: ", describe_exception(error));
    });
  }
}

bool RequestState::derive_path() {
  return detail::derive_path({.request_uri = variables_.request_uri,
                              .script_name = variables_.script_name,
                              .path_info = variables_.path_info,
                              .document_uri = variables_.document_uri,
                              .script_filename = variables_.script_filename,
                              .server_software = variables_.server_software,
                              .program = program()},
                             path_);
}

std::optional<std::string_view> RequestState::variable(std::string_view name) const {
  // CVE-2016-5385: libraries take it for the environment's http_proxy.
  if (name == "HTTP_PROXY") return std::nullopt;
  return head_.params.get(name);
}

const std::string& RequestState::id() {
  IdState state = id_state_.load(std::memory_order_acquire);
  if (state == IdState::made) return id_;
  if (state == IdState::none &&
      id_state_.compare_exchange_strong(state, IdState::being_made, std::memory_order_acquire)) {
    id_ = ids_.id_of(head_.params);
    id_state_.store(IdState::made, std::memory_order_release);
    id_state_.notify_all();
    return id_;
  }
  id_state_.wait(IdState::being_made, std::memory_order_acquire);
  return id_;
}

std::string_view RequestState::known_id() const {
  if (id_state_.load(std::memory_order_acquire) == IdState::made) return id_;
  for (const std::string& name : ids_.variables()) {
    const auto sent = head_.params.get(name);
    if (sent && !sent->empty()) return *sent;
  }
  return {};
}

const Values& RequestState::query() {
  if (!query_) query_.emplace(variables_.query_string);
  return *query_;
}

const Fields& RequestState::headers() {
  if (headers_) return *headers_;
  headers_.emplace();
  for (const auto [name, value] : head_.params) {
    if (name == "HTTP_HOST" && !authority_.empty()) {
      FieldsAccess::append(*headers_, "Host", authority_);
    } else if (name.starts_with("HTTP_") && name != "HTTP_PROXY") {
      FieldsAccess::append(*headers_, field_name(name.substr(5)), value);
    } else if ((name == "CONTENT_TYPE" || name == "CONTENT_LENGTH") && !value.empty()) {
      FieldsAccess::append(*headers_, field_name(name), value);
    }
  }
  return *headers_;
}

std::optional<std::string_view> RequestState::cookie(std::string_view name) const {
  return find_cookie(head_.params.get("HTTP_COOKIE").value_or(""), name);
}

const Form& RequestState::form(const FormLimits& limits) {
  return body_.form(head_.params.get("CONTENT_TYPE").value_or(""), limits);
}

std::optional<Part> RequestState::next_part(const FormLimits& limits) {
  return body_.next_part(head_.params.get("CONTENT_TYPE").value_or(""), limits);
}

std::optional<std::string_view> RequestState::capture(std::string_view name) const {
  if (capture_names_ == nullptr) return std::nullopt;
  const auto found = std::find(capture_names_->begin(), capture_names_->end(), name);
  if (found == capture_names_->end()) return std::nullopt;
  return capture_values_[static_cast<std::size_t>(found - capture_names_->begin())];
}

std::shared_ptr<void>& RequestState::local(TypeKey type) {
  for (auto& [key, value] : locals_) {
    if (key == type) return value;
  }
  return locals_.emplace_back(type, nullptr).second;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
