#pragma once

#include <chrono>

namespace viaduct::test {

/// In a program with scripted_clock.cpp the steady clock stands still, but for this.
void advance_clock(std::chrono::milliseconds time);

}  // namespace viaduct::test
