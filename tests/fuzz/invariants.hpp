#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/trace.hpp"

namespace viaduct::test {

/// Feeds `bytes` whole, byte by byte, and cut where the input itself says; aborts when the traces
/// differ. What a single trace checks is described in trace.hpp; its exceptions end the fuzzer too.
inline void check_independent_of_cuts(
    std::string_view bytes,
    const std::function<std::string(const std::vector<std::string_view>&)>& once) {
  const std::string whole = once({bytes});
  // Pieces as long as the input's own bytes say: deterministic, and different for every input.
  std::vector<std::size_t> sizes;
  for (std::size_t at = 0; at < bytes.size(); at += sizes.back()) {
    sizes.push_back(1 + static_cast<unsigned char>(bytes[at]) % 23);
  }
  if (!sizes.empty()) sizes.pop_back();
  for (const std::vector<std::string_view>& pieces : {single_bytes(bytes), cut(bytes, sizes)}) {
    const std::string other = once(pieces);
    if (other == whole) continue;
    std::fprintf(stderr, "fed whole:\n%s\nfed in pieces:\n%s\n", whole.c_str(), other.c_str());
    std::abort();
  }
}

/// The owner of a codec of one request: answers it once all of it has come, or breaks the answer
/// off when the request has an odd number of variables.
class OneAnswer {
 public:
  void operator()(protocol::ServerCodec& codec, const protocol::Event& event) {
    using Kind = protocol::Event::Kind;
    if (codec.multiplexed() || codec.idle()) std::abort();
    if (event.kind == Kind::request) {
      breaks_off_ = event.head->params.size() % 2 == 1;
    } else if (event.kind == Kind::body_end) {
      codec.head(event.id, {});
      codec.body(event.id, protocol::as_bytes("answer"));
      codec.errors(event.id, protocol::as_bytes("diagnostics"));
      codec.close_after_response();
      breaks_off_ ? codec.fail(event.id) : codec.end(event.id);
    } else if (event.kind == Kind::refused) {
      codec.head(event.id, {});
      codec.end(event.id);
    }
  }

 private:
  bool breaks_off_ = false;
};

/// Text of the fuzzer's input.
inline std::string_view input(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace viaduct::test
