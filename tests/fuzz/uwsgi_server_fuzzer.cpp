// Bytes of a front server to the uwsgi codec.

#include "protocol/uwsgi/codec.hpp"
#include "tests/fuzz/invariants.hpp"
#include "tests/fuzz/pieces.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  const auto once = [](const std::vector<std::string_view>& pieces) {
    protocol::uwsgi::ServerCodec codec(
        {.params = 512, .name = 64, .value = 256, .count = 16, .requests = 1});
    return test::trace(codec, pieces, test::OneAnswer());
  };
  test::check_independent_of_cuts(test::input(data, size), once);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  return viaduct::test::mutate(viaduct::test::kUwsgi, nullptr, data, size, max_size, seed);
}
