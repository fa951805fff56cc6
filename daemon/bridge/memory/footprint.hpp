#pragma once

#include <cstdint>
#include <optional>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::bridge {

/// Memory that the kernel has given to this process and no file backs: heap, buffers, stacks, with
/// what the heap has free. Thread-safe.
class Footprint {
 public:
  /// Takes the memory of now as that of a process that does nothing.
  Footprint();

  /// Bytes by which it has grown since. Nothing where /proc cannot be read, or the heap is not that
  /// of the C library (sanitizers): pages tell nothing about requests there.
  [[nodiscard]] std::optional<std::uint64_t> growth() const;
  /// Makes the heap return free memory to the kernel.
  static void trim();

 private:
  [[nodiscard]] std::optional<std::uint64_t> read() const;

  UniqueFd file_;
  std::uint64_t at_start_ = 0;
};

}  // namespace viaduct::daemon::bridge
