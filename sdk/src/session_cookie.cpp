#include "sdk/src/session_cookie.hpp"

#include <cstdint>
#include <stdexcept>

#include "sdk/src/base64.hpp"
#include "sdk/src/crypto.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kTimeSize = 8;
constexpr std::size_t kHeadSize = 1 + kTimeSize;
constexpr std::size_t kLengthSize = 2;
constexpr std::size_t kMaxLength = 0xFFFF;
constexpr std::size_t kMacText = 43;  // 32 bytes as base64url

void append_number(std::string& to, std::uint64_t number, std::size_t size) {
  for (std::size_t i = size; i > 0; --i) to += static_cast<char>((number >> (8 * (i - 1))) & 255);
}

std::uint64_t take_number(std::string_view& from, std::size_t size) {
  std::uint64_t number = 0;
  for (const char c : from.substr(0, size)) number = (number << 8) | static_cast<unsigned char>(c);
  from.remove_prefix(size);
  return number;
}

void append_text(std::string& to, std::string_view text) {
  if (text.size() > kMaxLength) throw std::length_error("a session value of more than 64 KiB");
  append_number(to, text.size(), kLengthSize);
  to += text;
}

std::optional<std::string> take_text(std::string_view& from) {
  if (from.size() < kLengthSize) return std::nullopt;
  const std::uint64_t size = take_number(from, kLengthSize);
  if (size > from.size()) return std::nullopt;
  std::string text(from.substr(0, size));
  from.remove_prefix(size);
  return text;
}

std::string mac(std::string_view cookie, std::string_view key, std::string_view content) {
  return hmac_sha256(key, std::string(cookie) + '=' + std::string(content));
}

std::optional<SessionContent> parse(std::string_view bytes) {
  if (bytes.size() < kHeadSize || bytes.front() != kVersion) return std::nullopt;
  bytes.remove_prefix(1);
  const auto seconds = static_cast<std::int64_t>(take_number(bytes, kTimeSize));
  SessionContent content{.expires = std::chrono::sys_seconds(std::chrono::seconds(seconds)),
                         .items = {}};
  while (!bytes.empty()) {
    auto name = take_text(bytes);
    auto value = name ? take_text(bytes) : std::nullopt;
    if (!value) return std::nullopt;
    content.items.emplace_back(std::move(*name), std::move(*value));
  }
  return content;
}

}  // namespace

std::size_t session_size(const SessionContent::Items& items) {
  std::size_t bytes = kHeadSize;
  for (const auto& [name, value] : items) bytes += 2 * kLengthSize + name.size() + value.size();
  return (bytes * 4 + 2) / 3 + 1 + kMacText;
}

std::string sign_session(std::string_view cookie, std::string_view key,
                         const SessionContent& content) {
  std::string bytes(1, kVersion);
  append_number(bytes, static_cast<std::uint64_t>(content.expires.time_since_epoch().count()),
                kTimeSize);
  for (const auto& [name, value] : content.items) {
    append_text(bytes, name);
    append_text(bytes, value);
  }
  const std::string text = base64url_encode(bytes);
  return text + '.' + base64url_encode(mac(cookie, key, text));
}

std::optional<SessionContent> verify_session(std::string_view cookie,
                                             const std::vector<std::string>& keys,
                                             std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || text.size() - dot - 1 != kMacText) return std::nullopt;
  const std::string_view signed_part = text.substr(0, dot);
  const auto claimed = base64url_decode(text.substr(dot + 1));
  if (!claimed) return std::nullopt;
  for (const std::string& key : keys) {
    if (!equal_secret(mac(cookie, key, signed_part), *claimed)) continue;
    const auto bytes = base64url_decode(signed_part);
    auto content = bytes ? parse(*bytes) : std::nullopt;
    if (content) content->old_key = &key != &keys.front();
    return content;
  }
  return std::nullopt;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
