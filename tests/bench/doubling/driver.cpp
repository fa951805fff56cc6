// Runs each case with its least size, twice and four times that, and has callgrind write what each
// run took. The name of a dump is "SIZE CASE".
#include <cstdio>
#include <string>

#include <valgrind/callgrind.h>

#include "tests/bench/doubling/cases.hpp"

int main() {
  for (const viaduct::bench::Case& one : viaduct::bench::all_cases()) {
    std::fprintf(stderr, "%s\n", one.name.c_str());  // the last line names what failed
    one.run(one.least);                              // what is made once is there
    for (const std::size_t times : {1U, 2U, 4U}) {
      const std::string name = std::to_string(times) + ' ' + one.name;
      CALLGRIND_ZERO_STATS;
      one.run(times * one.least);
      CALLGRIND_DUMP_STATS_AT(name.c_str());
    }
  }
  return 0;
}
