// Whole exchanges through one thread of the bridge (scripted_bridge.hpp). The input is a script of
// steps: one byte for the kind, one for its argument, two for the length of what is sent, low byte
// first, and that many bytes.

#include <cstdint>

#include "tests/fuzz/invariants.hpp"
#include "tests/fuzz/pieces.hpp"
#include "tests/fuzz/scripted_bridge.hpp"

using viaduct::test::ScriptedBridge;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostSteps = 64;
  const viaduct::test::Pieces script =
      viaduct::test::kSteps.split(viaduct::test::input(data, size));
  if (script.pieces.size() > kMostSteps) return 0;
  ScriptedBridge bridge;
  for (const auto& [fixed, content] : script.pieces) {
    const auto kind =
        static_cast<unsigned char>(fixed[0]) % static_cast<unsigned>(ScriptedBridge::Step::kinds);
    bridge.take(static_cast<ScriptedBridge::Step>(kind), static_cast<unsigned char>(fixed[1]),
                content);
  }
  bridge.finish();
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  using namespace viaduct::test;
  // What stands in a step is most often records.
  const Format* inner = seed % 3 == 0 ? &kNetstring : &kRecords;
  return mutate(kSteps, inner, data, size, max_size, seed);
}
