#include <algorithm>
#include <stdexcept>

#include <viaduct/response.hpp>

#include "sdk/src/chars.hpp"
#include "sdk/src/files/confined_open.hpp"
#include "sdk/src/files/dot_file.hpp"
#include "sdk/src/files/send_file.hpp"
#include "sdk/src/percent.hpp"
#include "sdk/src/response_state.hpp"

namespace viaduct {
inline namespace v1 {
namespace {

// RFC 6265 section 4.1.1, cookie-octet.
bool is_cookie_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("\",;\\").find(c) == std::string_view::npos;
  });
}

bool is_attribute_value(std::string_view text) {
  return text.find(';') == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), detail::is_field_char);
}

// Browsers take a backslash for a slash there.
bool names_other_host(std::string_view location) {
  const auto slash = [&](std::size_t at) { return location[at] == '/' || location[at] == '\\'; };
  return location.size() >= 2 && slash(0) && slash(1);
}

std::string set_cookie(const Cookie& cookie) {
  if (!detail::is_token(cookie.name)) throw invalid_header("cookie name is not a token");
  if (!is_cookie_value(cookie.value)) {
    throw invalid_header("value of cookie " + cookie.name + " holds a character to be encoded");
  }
  if (!is_attribute_value(cookie.path) || !is_attribute_value(cookie.domain) ||
      !is_attribute_value(cookie.same_site)) {
    throw invalid_header("attribute of cookie " + cookie.name + " cannot be sent");
  }
  std::string field = cookie.name + '=' + cookie.value;
  if (!cookie.path.empty()) field += "; Path=" + cookie.path;
  if (!cookie.domain.empty()) field += "; Domain=" + cookie.domain;
  if (cookie.max_age) field += "; Max-Age=" + std::to_string(cookie.max_age->count());
  if (cookie.secure) field += "; Secure";
  if (cookie.http_only) field += "; HttpOnly";
  if (!cookie.same_site.empty()) field += "; SameSite=" + cookie.same_site;
  return field;
}

}  // namespace

bool Response::started() const {
  return state_->started();
}
int Response::status() const {
  return state_->status();
}

Response& Response::status(int code) {
  state_->set_status(code);
  return *this;
}

Response& Response::type(std::string_view media_type) {
  headers().set("Content-Type", media_type);
  return *this;
}

Response& Response::cookie(const Cookie& cookie) {
  headers().add("Set-Cookie", set_cookie(cookie));
  return *this;
}

Response& Response::clear_cookie(std::string_view name) {
  Cookie expired;
  expired.name = name;
  expired.max_age = std::chrono::seconds(0);
  return cookie(expired);
}

const Fields& Response::headers() const {
  return state_->fields();
}
Fields& Response::headers() {
  return state_->fields_to_change();
}
void Response::write(std::string_view bytes) {
  state_->write(bytes);
}

void Response::write(std::span<const std::byte> bytes) {
  state_->write(protocol::as_text(bytes));
}

void Response::flush() {
  state_->flush();
}
void Response::send(std::string_view whole) {
  state_->send(whole);
}

void Response::send_file(const std::filesystem::path& path) {
  if (path.native().find('\0') != std::string::npos) throw http_error(404, "Not Found");
  const auto file = detail::open_file(path);
  detail::send_file(*state_, file, path, {});
}

void Response::send_file(const std::filesystem::path& root, std::string_view relative,
                         std::string_view download_name, DotFiles dot_files) {
  if (dot_files == DotFiles::hidden && detail::names_dot_file(relative)) {
    throw http_error(404, "Not Found");
  }
  const auto file = detail::open_beneath(root, relative);
  detail::send_file(*state_, file, root / relative, download_name);
}

void Response::redirect(std::string_view location, int status) {
  if (status < 300 || status > 399) {
    throw std::invalid_argument("redirect status " + std::to_string(status) +
                                " is not from 300 to 399");
  }
  if (!std::all_of(location.begin(), location.end(), detail::is_field_char)) {
    throw invalid_header("redirect: the location holds a line break or another control character");
  }
  if (names_other_host(location)) {
    throw invalid_header("redirect: a location without a scheme that begins with two slashes");
  }
  std::string encoded;
  detail::percent_encode_uri(location, encoded);
  headers().set("Location", encoded);
  state_->set_status(status);
}

void Response::before_start(std::function<void(Response&)> hook) {
  state_->add_hook(std::move(hook));
}

void Response::transform(std::function<std::string(std::string_view chunk, bool last)> filter) {
  state_->add_transform(std::move(filter));
}

std::uint64_t Response::bytes_sent() const {
  return state_->bytes_sent();
}

void Response::variable(std::string_view name, std::string_view value) {
  headers().set("Variable-" + std::string(name), value);
}

}  // namespace v1
}  // namespace viaduct
