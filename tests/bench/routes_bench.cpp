// What finding a route costs with few and with many routes: see README.md.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "sdk/src/route_tree.hpp"

namespace viaduct::bench {
namespace {

void nothing(Request&, Response&) {}

// Resources as applications have them, two thirds of the routes with captures, all on one level.
detail::RouteTree resources(std::int64_t routes) {
  detail::RouteTree tree;
  for (std::int64_t i = 0; i < routes; i += 3) {
    const std::string name = "/resource" + std::to_string(i / 3);
    tree.add("GET", name, nothing);
    tree.add("GET", name + "/{id:int}", nothing);
    tree.add("GET", name + "/{id:int}/comments/{comment}", nothing);
  }
  return tree;
}

// Paths to all parts of the tree, so that what is measured is not one path in the caches.
std::vector<std::string> paths(std::int64_t routes, const char* below) {
  std::vector<std::string> list;
  const std::int64_t names = (routes + 2) / 3;
  for (std::int64_t i = 0; i < 64; ++i) {
    list.push_back("/resource" + std::to_string(i * 7919 % names) + below);
  }
  return list;
}

void find(benchmark::State& state, const char* below, bool expected) {
  const detail::RouteTree tree = resources(state.range(0));
  const std::vector<std::string> asked = paths(state.range(0), below);
  std::vector<std::string> values;
  std::size_t next = 0;
  for (auto _ : state) {
    const auto match = tree.match("GET", asked[next++ % asked.size()], values);
    if ((match.handler != nullptr) != expected) {
      state.SkipWithError("the wrong answer");
      break;
    }
    benchmark::DoNotOptimize(match.handler);
  }
}

BENCHMARK_CAPTURE(find, text, "", true)->Arg(10)->Arg(10000);
BENCHMARK_CAPTURE(find, captures, "/4711/comments/latest", true)->Arg(10)->Arg(10000);
BENCHMARK_CAPTURE(find, nothing, "/4711/nowhere", false)->Arg(10)->Arg(10000);

}  // namespace
}  // namespace viaduct::bench

BENCHMARK_MAIN();
