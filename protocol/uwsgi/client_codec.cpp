#include "protocol/uwsgi/client_codec.hpp"

#include <array>
#include <cassert>
#include <string_view>

namespace viaduct::protocol::uwsgi {

namespace {

constexpr std::size_t kLengthSize = 2;

std::array<std::byte, kLengthSize> little_endian(std::uint64_t number) {
  return {static_cast<std::byte>(number & 0xff), static_cast<std::byte>(number >> 8 & 0xff)};
}

}  // namespace

std::uint64_t block_size(const Pairs& params) {
  return params.bytes() + std::uint64_t{params.size()} * 2 * kLengthSize;
}

void ClientCodec::params(RequestId /*id*/, const Pairs& params) {
  const std::uint64_t size = block_size(params);
  assert(size <= kMaxBlock);
  constexpr std::string_view kModifier("\0", 1);
  output_.copy(kModifier);
  output_.copy(little_endian(size));
  output_.copy(kModifier);
  for (const auto& [name, value] : params) {
    for (const std::string_view part : {name, value}) {
      output_.copy(little_endian(part.size()));
      output_.copy(part);
    }
  }
}

}  // namespace viaduct::protocol::uwsgi
