#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace viaduct::protocol {

/// Bytes that grow at their end: a vector that does not clear what it is about to overwrite, and to
/// which adding a record header takes a few instructions. Empty, it owns no memory until the first
/// addition. Not thread-safe.
///
/// From kMapped bytes on the memory is a mapping of its own. Growth moves its pages and copies none
/// of them, so that it takes no more than what is added; release() returns it to the kernel.
class Buffer {
 public:
  static constexpr std::size_t kMapped = 128 * 1024;

  Buffer() = default;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t capacity() const { return memory_.get_deleter().capacity; }
  [[nodiscard]] std::byte* data() { return memory_.get(); }
  [[nodiscard]] std::span<const std::byte> view(std::size_t from, std::size_t to) const {
    return {memory_.get() + from, to - from};
  }

  void append(std::span<const std::byte> bytes) {
    if (!bytes.empty()) std::memcpy(extend(bytes.size()), bytes.data(), bytes.size());
  }

  /// Adds `count` bytes for the caller to write; valid until the next change.
  std::byte* extend(std::size_t count) {
    if (capacity() - size_ < count) grow(count);
    std::byte* const at = memory_.get() + size_;
    size_ += count;
    return at;
  }

  void drop_front(std::size_t count) {
    size_ -= count;
    std::memmove(memory_.get(), memory_.get() + count, size_);
  }
  void drop_tail(std::size_t count) { size_ -= count; }

  /// Forgets the bytes, keeps the memory.
  void clear() { size_ = 0; }
  /// Gives the memory back, too.
  void release() {
    memory_ = Memory();
    size_ = 0;
  }

  void swap(Buffer& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(size_, other.size_);
  }

 private:
  struct Free {
    std::size_t capacity;  // 0 in an empty unique_ptr

    void operator()(std::byte* memory) const;
  };
  using Memory = std::unique_ptr<std::byte[], Free>;

  void grow(std::size_t count);
  void grow_in_heap(std::size_t capacity);
  void grow_mapped(std::size_t capacity);

  Memory memory_;
  std::size_t size_ = 0;
};

}  // namespace viaduct::protocol
