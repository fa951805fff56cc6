#include "sdk/src/request_ids.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <random>
#include <stdexcept>

#include "sdk/src/chars.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::size_t kMaxId = 128;
constexpr std::string_view kUsual = "REQUEST_ID,UNIQUE_ID,X-Request-Id";

// Unlike counters alone, ids of different processes differ.
std::string make_id() {
  static const std::uint64_t process = [] {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32) | device();
  }();
  static std::atomic<std::uint32_t> count{0};
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (int shift = 44; shift >= 0; shift -= 4) id += kDigits[(process >> shift) & 15];
  const std::uint32_t number = count.fetch_add(1, std::memory_order_relaxed);
  for (int shift = 28; shift >= 0; shift -= 4) id += kDigits[(number >> shift) & 15];
  return id;
}

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

// X-Request-Id -> HTTP_X_REQUEST_ID (RFC 3875 section 4.1.18)
std::string variable_of_field(std::string_view name) {
  std::string variable = "HTTP_";
  for (const char c : name) {
    variable += c == '-' ? '_' : is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return variable;
}

}  // namespace

const RequestIds& RequestIds::usual() {
  static const RequestIds ids(kUsual);
  return ids;
}

RequestIds::RequestIds(std::string_view names) {
  if (names == "none") return;
  const std::string_view all = names;
  while (true) {
    const std::size_t comma = names.find(',');
    const std::string_view name = names.substr(0, comma);
    if (!is_token(name)) {
      throw std::invalid_argument("\"" + std::string(all) + "\": \"" + std::string(name) +
                                  "\" is no variable and no header field");
    }
    const bool field =
        name.find('-') != std::string_view::npos || std::any_of(name.begin(), name.end(), is_lower);
    variables_.push_back(field ? variable_of_field(name) : std::string(name));
    if (comma == std::string_view::npos) return;
    names.remove_prefix(comma + 1);
  }
}

std::string RequestIds::id_of(const protocol::Pairs& params) const {
  for (const std::string& name : variables_) {
    const auto sent = params.get(name);
    if (sent && sent->size() <= kMaxId && is_token(*sent)) return std::string(*sent);
  }
  return make_id();
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
