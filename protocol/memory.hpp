#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace viaduct::protocol {

/// Bytes that a container has from the heap, used or not. What its elements have of their own is
/// not among them, nor what the heap needs to keep account.
template <class T>
[[nodiscard]] std::size_t memory_of(const std::vector<T>& items) {
  return items.capacity() * sizeof(T);
}

[[nodiscard]] inline std::size_t memory_of(const std::string& text) {
  static const std::size_t inside = std::string().capacity();
  return text.capacity() > inside ? text.capacity() + 1 : 0;
}

/// Empties a container, or what is made of some, and gives the memory back. An assignment of `{}`
/// need not do that: a vector takes it for an empty list of elements, a string for characters to be
/// copied, and either keeps its memory.
template <class Container>
void give_back(Container& container) {
  Container empty;
  std::swap(container, empty);
}

}  // namespace viaduct::protocol
