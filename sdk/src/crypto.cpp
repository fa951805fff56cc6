#include "sdk/src/crypto.hpp"

#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::size_t kSha256Size = 32;

const unsigned char* in(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* out(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace

std::string sha256(std::string_view bytes) {
  std::string digest(kSha256Size, '\0');
  if (EVP_Digest(bytes.data(), bytes.size(), out(digest), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("libcrypto has no SHA-256");
  }
  return digest;
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::string digest(kSha256Size, '\0');
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), in(bytes), bytes.size(),
           out(digest), nullptr) == nullptr) {
    throw std::runtime_error("libcrypto has no HMAC-SHA-256");
  }
  return digest;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(out(bytes), static_cast<int>(count)) != 1) {
    throw std::runtime_error("no random bytes from libcrypto");
  }
  return bytes;
}

bool equal_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
