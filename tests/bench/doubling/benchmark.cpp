// How the time of each parser grows with its input, by Google Benchmark: the last two lines of a
// case are its order and how well that fits.
#include <benchmark/benchmark.h>

#include "tests/bench/doubling/cases.hpp"

int main(int argc, char** argv) {
  using viaduct::bench::Case;
  for (const Case& one : viaduct::bench::all_cases()) {
    const auto least = static_cast<std::int64_t>(one.least);
    benchmark::RegisterBenchmark(one.name.c_str(),
                                 [one](benchmark::State& state) {
                                   for (auto _ : state)
                                     one.run(static_cast<std::size_t>(state.range(0)));
                                   state.SetComplexityN(state.range(0));
                                 })
        ->RangeMultiplier(2)
        ->Range(least, 4 * least)
        ->Complexity();
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
