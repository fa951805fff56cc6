#include "protocol/buffer.hpp"

#include <algorithm>
#include <new>

namespace viaduct::protocol {
namespace {

// Holds a short answer with its framing.
constexpr std::size_t kFirstCapacity = 512;
// Room for more than asked for: as much again, but no more than this.
constexpr std::size_t kMostFurther = 1024 * 1024;

}  // namespace

void Buffer::grow(std::size_t count) {
  const std::size_t further = std::min(capacity_, kMostFurther);
  const std::size_t capacity = std::max({size_ + count, capacity_ + further, kFirstCapacity});
  auto* const memory = static_cast<std::byte*>(std::realloc(memory_.get(), capacity));
  if (memory == nullptr) throw std::bad_alloc();
  static_cast<void>(memory_.release());
  memory_.reset(memory);
  capacity_ = capacity;
}

}  // namespace viaduct::protocol
