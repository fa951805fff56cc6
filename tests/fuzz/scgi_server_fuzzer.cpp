// Bytes of a front server to the SCGI codec.

#include "protocol/scgi/codec.hpp"
#include "tests/fuzz/invariants.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  const auto once = [](const std::vector<std::string_view>& pieces) {
    protocol::scgi::ServerCodec codec(
        {.params = 512, .name = 64, .value = 256, .count = 16, .requests = 1});
    return test::trace(codec, pieces);
  };
  test::check_independent_of_cuts(test::input(data, size), once);
  return 0;
}
