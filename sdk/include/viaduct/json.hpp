#pragma once

/// @file
/// JSON bodies on Boost.JSON (Debian: libboost-json1.81-dev). The one header besides
/// <viaduct/async.hpp> that needs more than the standard library, and so not part of
/// <viaduct/viaduct.hpp>; applications that include it link Boost::json.

#include <array>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json.hpp>
#include <viaduct/errors.hpp>
#include <viaduct/request.hpp>
#include <viaduct/response.hpp>

namespace viaduct {
inline namespace v1 {

namespace detail {

/// Whether a Content-Type says JSON: application/json or a type with the suffix +json (RFC 6839
/// section 3.1), with any parameters.
inline bool is_json_type(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  std::string lower(type);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower == "application/json" ||
         (lower.starts_with("application/") && lower.ends_with("+json"));
}

/// Members of one object at most, unless the caller of read_json() says otherwise.
inline constexpr std::size_t kMostMembers = 1024;

/// Whether an object of a JSON text has more members than that: colons outside of strings are
/// counted, nothing is stored. Text that Boost.JSON refuses is looked at up to there.
inline bool has_larger_object(std::string_view text, std::size_t members) {
  constexpr std::size_t kDepth = 32;  // that of Boost.JSON's parser
  std::array<std::size_t, kDepth + 1> counts{};
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      if (c == '\\') ++at;
    } else if (c == '{' || c == '[') {
      if (++depth > kDepth) return false;
      counts[depth] = 0;
    } else if (c == '}' || c == ']') {
      if (depth-- == 0) return false;
    } else if (c == ':') {
      if (++counts[depth] > members) return true;
    }
  }
  return false;
}

/// As read_json(), of a text. The value lies in `storage`.
inline boost::json::value parse_json(std::string_view text, std::size_t members,
                                     boost::json::storage_ptr storage = {}) {
  if (has_larger_object(text, members)) {
    throw http_error(413,
                     "an object of the body has more than " + std::to_string(members) + " members");
  }
  boost::system::error_code error;
  boost::json::value value =
      boost::json::parse({text.data(), text.size()}, error, std::move(storage));
  if (error) throw http_error(400, "the body is no JSON: " + error.message());
  return value;
}

/// Puts null in place of numbers that JSON does not have; only looks when `mend` is null. Whether
/// there were any.
inline bool replace_not_finite(const boost::json::value& value, boost::json::value* mend) {
  bool found = false;
  if (const double* const number = value.if_double()) {
    found = !std::isfinite(*number);
    if (found && mend != nullptr) *mend = nullptr;
  } else if (const boost::json::array* const items = value.if_array()) {
    for (std::size_t i = 0; i < items->size(); ++i) {
      boost::json::value* const place = mend != nullptr ? &mend->get_array()[i] : nullptr;
      found = replace_not_finite((*items)[i], place) || found;
    }
  } else if (const boost::json::object* const members = value.if_object()) {
    for (const auto& member : *members) {
      boost::json::value* const place =
          mend != nullptr ? &mend->get_object()[member.key()] : nullptr;
      found = replace_not_finite(member.value(), place) || found;
    }
  }
  return found;
}

}  // namespace detail

/// The body of a request as JSON (RFC 8259). Reads all of it, waiting for the client.
///
/// Throws http_error 415 when Content-Type says something else or nothing, 413 when the body has
/// more than `max` bytes or an object with more than `members` members, 400 when it is no JSON, is
/// nested more than 32 deep, or has something behind the value; and client_gone. To turn the value
/// into a type of your own, see boost::json::value_to, whose exceptions are not answered with 400
/// by themselves.
///
/// Boost.JSON hashes names with the address of their table, which clients can foresee when it is
/// large: with names that collide, each is compared with all others of its object. Allow for larger
/// objects where you trust the sender.
inline boost::json::value read_json(Request& request, std::size_t max = 1 << 20,
                                    std::size_t members = detail::kMostMembers) {
  if (!detail::is_json_type(request.headers().get("Content-Type").value_or(""))) {
    throw http_error(415, "expected application/json");
  }
  return detail::parse_json(request.body().text(max), members);
}

/// Answers with `value` as application/json, which has no charset: it is UTF-8. Numbers that JSON
/// does not have, infinities and NaN, become null, as JavaScript writes them. The status is as it
/// was set. Throws as Response::send() does.
inline void send_json(Response& response, const boost::json::value& value) {
  response.type("application/json");
  if (!detail::replace_not_finite(value, nullptr)) {
    return response.send(boost::json::serialize(value));
  }
  boost::json::value mended = value;
  detail::replace_not_finite(value, &mended);
  response.send(boost::json::serialize(mended));
}

}  // namespace v1
}  // namespace viaduct
