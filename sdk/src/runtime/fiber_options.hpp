#pragma once

#include <chrono>
#include <cstddef>

namespace viaduct {
inline namespace v1 {
namespace detail {

struct FiberOptions {
  std::size_t stack_size = 256 * 1024;  ///< bytes
  /// For how long a handler may hold the loop up before that is reported; 0: for ever.
  std::chrono::milliseconds watchdog{1000};
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
