#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace viaduct::protocol {

using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Bytes on their way to one socket, in order. Encoders append to it; the owner of the socket
/// gathers pieces for a scatter write and consumes what the socket took.
///
/// Framing is copied in. Payload may instead be *referred to*: the memory is borrowed until
/// `settle()`, so that a body that the socket takes at once is never copied. Whoever hands out
/// borrowed memory calls `settle()` before that memory is reused.
///
/// An empty Output that was `release()`d owns no memory. Not thread-safe.
class Output {
 public:
  /// Appends a copy.
  void copy(Bytes bytes);
  void copy(std::string_view text) { copy(as_bytes(text)); }

  /// Appends `size` uninitialised bytes and returns where to write them. The pointer is valid
  /// until the next call of a member function.
  std::byte* extend(std::size_t size);

  /// Appends a reference; the bytes stay the caller's until `settle()`. Small pieces are copied,
  /// since a reference costs more than they do.
  void refer(Bytes bytes);

  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Bytes not yet consumed.
  [[nodiscard]] std::size_t size() const { return size_; }

  /// Fills `pieces` with the first of what is waiting, in order, and returns how many were filled.
  std::size_t gather(std::span<Bytes> pieces) const;

  /// Drops the first `count` bytes. `count` must not exceed `size()`.
  void consume(std::size_t count);

  /// Copies what is still only referred to, so that the borrowed memory may be reused.
  void settle();

  /// Gives the memory back when nothing is waiting; otherwise does nothing.
  void release();

 private:
  struct Reference {
    std::size_t at;  // position in owned_ in front of which the bytes belong
    Bytes bytes;
  };

  std::vector<std::byte> owned_;
  std::vector<Reference> references_;
  std::size_t consumed_ = 0;         // of owned_
  std::size_t first_reference_ = 0;  // references before this one are consumed
  std::size_t size_ = 0;
};

}  // namespace viaduct::protocol
