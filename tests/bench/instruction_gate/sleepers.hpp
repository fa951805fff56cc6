#pragma once

namespace viaduct::bench {

/// Whether every thread of the process but the calling one waits for a condition variable.
///
/// A program that is linked with this has its waits wrapped (CMakeLists.txt: --wrap), of which
/// sleepers.cpp keeps count.
bool others_sleep();

}  // namespace viaduct::bench
