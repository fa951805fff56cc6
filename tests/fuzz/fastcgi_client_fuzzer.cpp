// Bytes of a worker to the FastCGI client codec. The first byte chooses what was asked before.

#include "protocol/fastcgi/client_codec.hpp"
#include "tests/fuzz/invariants.hpp"
#include "tests/fuzz/pieces.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  if (size == 0) return 0;
  const unsigned choice = data[0];
  const auto once = [&](const std::vector<std::string_view>& pieces) {
    protocol::fastcgi::ClientCodec codec;
    for (unsigned i = 0; i < (choice & 3); ++i) {
      codec.get_values((choice & 4) != 0 ? std::optional<std::uint32_t>(65536) : std::nullopt);
    }
    codec.output().consume(codec.output().size());
    return test::trace(codec, pieces);
  };
  test::check_independent_of_cuts(test::input(data + 1, size - 1), once);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  return viaduct::test::mutate(viaduct::test::kChosenRecords, nullptr, data, size, max_size, seed);
}
