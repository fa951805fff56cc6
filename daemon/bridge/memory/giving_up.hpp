#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace viaduct::daemon::bridge {

/// The order in which holders of memory are given up when it is short. Pure.
///
/// The largest goes first, and whether the next one is a request whose body is still gathered is
/// decided by size alone. Which of those it is, their rates decide: the slowest client's goes
/// first, the larger of two that are equally slow. So clients that send slowly pay for each other,
/// and not those that send fast nor those that are served.
class GivingUp {
 public:
  struct Holding {
    std::size_t bytes;
    /// Bytes per second of the client, for a request whose body is gathered.
    std::optional<double> rate{};
  };

  explicit GivingUp(std::vector<Holding> holdings);

  /// The index of the next one; nothing when there are no more.
  std::optional<std::size_t> next();

 private:
  [[nodiscard]] bool smaller(std::size_t left, std::size_t right) const;
  [[nodiscard]] bool later(std::size_t left, std::size_t right) const;

  std::vector<Holding> holdings_;
  std::vector<std::size_t> by_size_;  // heaps of indexes, the next one in front
  std::vector<std::size_t> by_rate_;  // of those with a rate
};

}  // namespace viaduct::daemon::bridge
