#include "protocol/buffer.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace viaduct::protocol {
namespace {

// Holds a short answer with its framing.
constexpr std::size_t kFirstCapacity = 512;
// Room for more than asked for: as much again, but no more than this.
constexpr std::size_t kMostFurther = 1024 * 1024;

// Sanitizers find overruns in the heap only: nothing is mapped for them.
#ifndef VIADUCT_SANITIZED
bool mapped(std::size_t capacity) {
  return capacity >= Buffer::kMapped;
}

std::size_t whole_pages(std::size_t size) {
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (size + page - 1) / page * page;
}
#endif

}  // namespace

void Buffer::Free::operator()(std::byte* memory) const {
#ifndef VIADUCT_SANITIZED
  if (mapped(capacity)) {
    ::munmap(memory, capacity);
    return;
  }
#endif
  std::free(memory);
}

void Buffer::grow(std::size_t count) {
  const std::size_t further = std::min(capacity(), kMostFurther);
  const std::size_t larger = std::max({size_ + count, capacity() + further, kFirstCapacity});
#ifndef VIADUCT_SANITIZED
  if (mapped(larger)) return grow_mapped(whole_pages(larger));
#endif
  grow_in_heap(larger);
}

void Buffer::grow_in_heap(std::size_t capacity) {
  auto* const memory = static_cast<std::byte*>(std::realloc(memory_.get(), capacity));
  if (memory == nullptr) throw std::bad_alloc();
  static_cast<void>(memory_.release());
  memory_ = Memory(memory, {capacity});
}

#ifndef VIADUCT_SANITIZED
void Buffer::grow_mapped(std::size_t capacity) {
  const bool moves = mapped(this->capacity());
  void* const memory =
      moves ? ::mremap(memory_.get(), this->capacity(), capacity, MREMAP_MAYMOVE)
            : ::mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  if (moves) {
    static_cast<void>(memory_.release());
  } else if (size_ > 0) {
    std::memcpy(memory, memory_.get(), size_);
  }
  memory_ = Memory(static_cast<std::byte*>(memory), {capacity});
}
#endif

}  // namespace viaduct::protocol
