#include <algorithm>

#include <viaduct/body.hpp>
#include <viaduct/errors.hpp>

#include "sdk/src/channel.hpp"

namespace viaduct {
inline namespace v1 {
namespace {

[[noreturn]] void too_large() {
  throw http_error(413, "Content Too Large");
}

}  // namespace

std::optional<std::uint64_t> Body::length() const {
  return source_->length();
}

std::size_t Body::read(std::span<std::byte> into) {
  return into.empty() ? 0 : source_->read(into);
}

std::size_t Body::read(std::span<char> into) {
  return read(std::as_writable_bytes(into));
}

std::string Body::text(std::size_t max) {
  constexpr std::size_t kStep = 16 * 1024;
  const auto announced = length();
  if (announced && *announced > max) too_large();
  std::string text;
  while (true) {
    const std::size_t had = text.size();
    // One byte more than allowed is asked for, so that a body of exactly `max` bytes is seen to
    // end.
    const std::size_t room = max - had;
    text.resize(had + std::min(room, kStep - 1) + 1);
    const std::size_t got = read(std::span<char>(text).subspan(had));
    text.resize(had + got);
    if (text.size() > max) too_large();
    if (got == 0) return text;
  }
}

}  // namespace v1
}  // namespace viaduct
