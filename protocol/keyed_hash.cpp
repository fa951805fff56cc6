#include "protocol/keyed_hash.hpp"

#include <bit>
#include <random>

namespace viaduct::protocol {
namespace {

constexpr std::size_t kWord = 8;

// Aumasson and Bernstein, "SipHash: a fast short-input PRF".
struct State {
  std::uint64_t v0, v1, v2, v3;

  explicit State(HashKey key)
      : v0(key.first ^ 0x736f6d6570736575),
        v1(key.second ^ 0x646f72616e646f6d),
        v2(key.first ^ 0x6c7967656e657261),
        v3(key.second ^ 0x7465646279746573) {}

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void take(std::uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
  std::uint64_t finish() {
    v2 ^= 0xff;
    for (int i = 0; i < 3; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) {
    word = word << 8 | static_cast<unsigned char>(bytes[i - 1]);
  }
  return word;
}

HashKey random_key() {
  std::random_device device;
  const auto word = [&] { return std::uint64_t{device()} << 32 | device(); };
  return {word(), word()};
}

}  // namespace

std::uint64_t keyed_hash(std::string_view text, HashKey key) {
  State state(key);
  const std::uint64_t size = text.size();
  for (; text.size() >= kWord; text.remove_prefix(kWord)) {
    state.take(little_endian(text.substr(0, kWord)));
  }
  state.take(little_endian(text) | size << 56);
  return state.finish();
}

HashKey process_hash_key() {
  static const HashKey key = random_key();
  return key;
}

}  // namespace viaduct::protocol
