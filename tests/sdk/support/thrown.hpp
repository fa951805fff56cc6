#pragma once

#include <stdexcept>

#include <viaduct/errors.hpp>

namespace viaduct::test {

struct Own {};

/// Something that a callback of an application's may throw.
struct Thrown {
  const char* name;
  void (*raise)();
  const char* words;  ///< in the log
};

inline const Thrown kThrown[] = {
    {"std", [] { throw std::runtime_error("boom"); }, "boom (std::runtime_error)"},
    {"derived", [] { throw invalid_header("bad"); }, "bad (viaduct::v1::invalid_header)"},
    {"int", [] { throw 42; }, "an exception of type int"},
    {"text", [] { throw "words"; }, "an exception of type char const*"},
    {"own", [] { throw Own(); }, "viaduct::test::Own"},
};

}  // namespace viaduct::test
