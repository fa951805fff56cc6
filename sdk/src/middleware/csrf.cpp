#include <algorithm>
#include <memory>
#include <stdexcept>

#include <viaduct/middleware.hpp>
#include <viaduct/session.hpp>

#include "sdk/src/base64.hpp"
#include "sdk/src/chars.hpp"
#include "sdk/src/cookie_name.hpp"
#include "sdk/src/crypto.hpp"
#include "sdk/src/middleware/origin.hpp"

namespace viaduct {
inline namespace v1 {
namespace middleware {
namespace {

constexpr std::size_t kSecretSize = 32;
constexpr std::string_view kSessionValue = "csrf_token";

// The token that a request came with, or that was made for its answer.
struct State {
  std::shared_ptr<const Csrf> options;
  std::string secret;  // empty: none yet
  bool made = false;
  Response* response = nullptr;
};

std::string combine(std::string_view a, std::string_view b) {
  std::string mixed(a);
  for (std::size_t i = 0; i < mixed.size(); ++i) mixed[i] = static_cast<char>(mixed[i] ^ b[i]);
  return mixed;
}

// The secret that a token stands for: a random pad, and the secret mixed with it, so that pages
// hold another text each time and compression tells nothing about it.
std::string unmask(std::string_view token) {
  if (token.size() > 4 * kSecretSize) return {};
  const auto bytes = detail::base64url_decode(token);
  if (!bytes || bytes->size() != 2 * kSecretSize) return {};
  const std::string_view all = *bytes;
  return combine(all.substr(0, kSecretSize), all.substr(kSecretSize));
}

std::string stored_secret(const Csrf& options, Request& request) {
  const auto text =
      options.in_session ? session(request).get(kSessionValue) : request.cookie(options.cookie);
  auto secret = text ? detail::base64url_decode(*text) : std::nullopt;
  return secret && secret->size() == kSecretSize ? std::move(*secret) : std::string();
}

bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE";
}

// Whether a browser says that a page of this origin, or a trusted one, has sent the request. One
// that says nothing is judged by its token.
bool from_here(const Csrf& options, const Request& request) {
  const auto origin = request.headers().get("Origin");
  if (origin &&
      std::find(options.trusted.begin(), options.trusted.end(), *origin) != options.trusted.end()) {
    return true;
  }
  if (const auto site = request.headers().get("Sec-Fetch-Site")) {
    return site == "same-origin" || site == "none";
  }
  if (!origin) return true;
  const std::string own = std::string(request.scheme()) + "://" + std::string(request.host());
  return detail::equal_nocase(*origin, own);
}

bool is_form(const Request& request) {
  const std::string_view field = request.headers().get("Content-Type").value_or("");
  std::string_view type = field.substr(0, field.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return detail::equal_nocase(type, "application/x-www-form-urlencoded") ||
         detail::equal_nocase(type, "multipart/form-data");
}

std::string sent_token(const Csrf& options, Request& request) {
  if (const auto token = request.headers().get(options.header)) return std::string(*token);
  if (options.field.empty() || !is_form(request)) return {};
  return std::string(request.form().values.get(options.field).value_or(""));
}

Cookie cookie_of(const Csrf& options) {
  return {.name = options.cookie,
          .value = {},
          .same_site = options.same_site,
          .secure = options.secure};
}

}  // namespace

Middleware csrf(Csrf options) {
  if (!options.in_session) detail::require_usable_cookie("csrf", cookie_of(options));
  if (!detail::is_token(options.header)) {
    throw std::invalid_argument("csrf: header \"" + options.header + "\" is not a token");
  }
  for (const std::string& origin : options.trusted) {
    if (!detail::is_origin(origin)) {
      throw std::invalid_argument("csrf: \"" + origin + "\" is not an origin");
    }
  }
  const auto shared = std::make_shared<const Csrf>(std::move(options));
  return [shared](Request& request, Response& response, const Handler& next) {
    State& state = request.local<State>();
    state = {.options = shared, .secret = stored_secret(*shared, request), .response = &response};
    if (!is_safe(request.method())) {
      const bool allowed = from_here(*shared, request) && !state.secret.empty() &&
                           detail::equal_secret(unmask(sent_token(*shared, request)), state.secret);
      if (!allowed) throw http_error(403, "This form has expired, or was not sent from this site");
    }
    if (!shared->in_session) {
      response.before_start([&state](Response& head) {
        if (!state.made) return;
        Cookie cookie = cookie_of(*state.options);
        cookie.value = detail::base64url_encode(state.secret);
        head.cookie(cookie);
      });
    }
    next(request, response);
  };
}

std::string csrf_token(Request& request) {
  State& state = request.local<State>();
  if (!state.options) throw std::logic_error("csrf_token: the route is not inside csrf()");
  if (state.options->in_session) state.secret = stored_secret(*state.options, request);
  if (state.secret.empty()) {
    if (state.response->started()) {
      throw std::logic_error("csrf_token: the response has started: its cookie cannot be set");
    }
    state.secret = detail::random_bytes(kSecretSize);
    state.made = true;
    if (state.options->in_session) {
      session(request).set(kSessionValue, detail::base64url_encode(state.secret));
    }
  }
  const std::string pad = detail::random_bytes(kSecretSize);
  return detail::base64url_encode(pad + combine(pad, state.secret));
}

}  // namespace middleware
}  // namespace v1
}  // namespace viaduct
