#include "protocol/scgi/client_codec.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace viaduct::protocol::scgi {

namespace {

constexpr std::string_view kLength = "CONTENT_LENGTH";
constexpr std::string_view kMark = "SCGI";

bool has_own_place(std::string_view name) {
  return name == kLength || name == kMark;
}

}  // namespace

void ClientCodec::params(RequestId /*id*/, const Pairs& params) {
  std::string_view length = params.get(kLength).value_or("");
  if (length.empty()) length = "0";
  constexpr std::size_t kNuls = 2;
  std::uint64_t size = kLength.size() + length.size() + kMark.size() + 1 + 2 * kNuls;
  for (const auto& [name, value] : params) {
    if (!has_own_place(name)) size += name.size() + value.size() + kNuls;
  }
  constexpr std::string_view kNul("\0", 1);
  const auto write = [&](std::string_view name, std::string_view value) {
    for (const std::string_view part : {name, kNul, value, kNul}) output_.copy(part);
  };
  output_.copy(std::to_string(size) + ":");
  write(kLength, length);
  write(kMark, "1");
  for (const auto& [name, value] : params) {
    if (!has_own_place(name)) write(name, value);
  }
  output_.copy(",");
}

}  // namespace viaduct::protocol::scgi
