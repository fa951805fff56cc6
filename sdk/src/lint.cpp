#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

#include <viaduct/lint.hpp>

#include "sdk/src/chars.hpp"
#include "sdk/src/response_state.hpp"

namespace viaduct {
inline namespace v1 {
namespace {

void require(bool kept, const std::string& rule) {
  if (!kept) throw std::logic_error("lint: " + rule);
}

void check_request(const Request& request) {
  require(detail::is_token(request.method()), "the request method is a token");
  const bool server_wide = request.method() == "OPTIONS" && request.raw_path() == "*";
  require(server_wide || (request.path().starts_with('/') && request.raw_path().starts_with('/')),
          "the path begins with '/'");
  const std::string_view mount = request.script_name();
  require(mount.empty() || (mount.starts_with('/') && !mount.ends_with('/')),
          "script_name is empty, or begins with '/' and does not end so");
  require(!request.env("HTTP_PROXY") && !request.headers().get("Proxy"),
          "HTTP_PROXY is not passed on");
}

bool is_media_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  std::string_view subtype = text.substr(slash + 1);
  subtype = subtype.substr(0, subtype.find(';'));
  while (subtype.ends_with(' ')) subtype.remove_suffix(1);
  return detail::is_token(text.substr(0, slash)) && detail::is_token(subtype);
}

bool is_entity_tag(std::string_view tag) {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  return tag.size() >= 2 && tag.front() == '"' && tag.back() == '"' &&
         tag.substr(1, tag.size() - 2).find_first_of("\" ") == std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), detail::ascii_lower);
  return result;
}

void check_fields(const Fields& fields) {
  static constexpr std::array<std::string_view, 6> kOnce = {
      "Content-Type", "Content-Length", "Location", "ETag", "Last-Modified", "Date"};
  static constexpr std::array<std::string_view, 8> kConnection = {
      "Connection", "Keep-Alive", "Proxy-Connection",  "TE",
      "Trailer",    "Upgrade",    "Transfer-Encoding", "Status"};
  for (const std::string_view name : kOnce) {
    require(fields.all(name).size() <= 1, std::string(name) + " stands there once at most");
  }
  for (const std::string_view name : kConnection) {
    require(!fields.get(name), std::string(name) + " is left to the front server");
  }
  if (const auto type = fields.get("Content-Type")) {
    require(is_media_type(*type), "Content-Type is type/subtype");
  }
  if (const auto tag = fields.get("ETag")) require(is_entity_tag(*tag), "ETag is a quoted tag");
  for (const std::string_view cookie : fields.all("Set-Cookie")) {
    const std::string text = lower(cookie);
    require(text.find("; samesite=none") == std::string::npos ||
                text.find("; secure") != std::string::npos,
            "a cookie with SameSite=None is Secure");
  }
  require(fields.get("Access-Control-Allow-Origin") != "*" ||
              !fields.get("Access-Control-Allow-Credentials"),
          "no answer is open to every origin with credentials");
}

void check_status(int status, const Fields& fields) {
  const auto needs = [&](std::string_view name) {
    require(fields.get(name).has_value(),
            "an answer " + std::to_string(status) + " has " + std::string(name));
  };
  require(status >= 200 && status <= 599, "the status is from 200 to 599");
  switch (status) {
    case 204:
      require(!fields.get("Content-Length"), "an answer 204 has no Content-Length");
      break;
    case 206:
      if (!fields.get("Content-Type").value_or("").starts_with("multipart/byteranges")) {
        needs("Content-Range");
      }
      break;
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      needs("Location");
      break;
    case 401:
      needs("WWW-Authenticate");
      break;
    case 405:
      needs("Allow");
      break;
    default:
      break;
  }
}

void check_head(const Response& response) {
  check_fields(response.headers());
  check_status(response.status(), response.headers());
}

void check_body(Response& response) {
  const int status = response.status();
  require(!protocol::contentless(status) ||
              detail::ResponseAccess::state(response).bytes_written() == 0,
          "an answer " + std::to_string(status) + " has no body");
}

}  // namespace

Handler lint(Handler handler) {
  if (!handler) throw std::invalid_argument("lint: the handler is empty");
  return [handler = std::move(handler)](Request& request, Response& response) {
    require(!response.started(), "the response has not started before the handler is called");
    check_request(request);
    // What the head is made of once the handler has left is not its doing.
    const auto inside = std::make_shared<bool>(true);
    response.before_start([inside](Response& head) {
      if (*inside) check_head(head);
    });
    try {
      handler(request, response);
    } catch (const http_error& error) {
      *inside = false;
      require(error.status >= 400 && error.status <= 599,
              "the status of an http_error is from 400 to 599");
      check_status(error.status, error.headers);
      check_fields(error.headers);
      throw;
    } catch (...) {
      *inside = false;
      throw;
    }
    *inside = false;
    if (!response.started()) check_head(response);
    check_body(response);
  };
}

}  // namespace v1
}  // namespace viaduct
