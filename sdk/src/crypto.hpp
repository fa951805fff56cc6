#pragma once

#include <string>
#include <string_view>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// What the SDK takes from libcrypto. Bytes in, bytes out; std::runtime_error when it fails.

/// 32 bytes (FIPS 180-4).
[[nodiscard]] std::string sha256(std::string_view bytes);

/// 32 bytes (RFC 2104, FIPS 198-1).
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view bytes);

/// From the system's generator for secrets.
[[nodiscard]] std::string random_bytes(std::size_t count);

/// Compares in a time that depends on the sizes only.
[[nodiscard]] bool equal_secret(std::string_view a, std::string_view b);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
