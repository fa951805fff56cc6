#include "protocol/buffer.hpp"

#include <algorithm>

namespace viaduct::protocol {
namespace {

// Holds a short answer with its framing.
constexpr std::size_t kFirstCapacity = 512;

}  // namespace

void Buffer::grow(std::size_t count) {
  const std::size_t capacity = std::max({size_ + count, 2 * capacity_, kFirstCapacity});
  std::unique_ptr<std::byte[]> larger(new std::byte[capacity]);
  if (size_ > 0) std::memcpy(larger.get(), memory_.get(), size_);
  memory_ = std::move(larger);
  capacity_ = capacity;
}

}  // namespace viaduct::protocol
