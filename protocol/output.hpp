#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/buffer.hpp"
#include "protocol/memory.hpp"

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
  void copy(Bytes bytes) {
    owned_.append(bytes);
    size_ += bytes.size();
    appended_ += bytes.size();
  }
  void copy(std::string_view text) { copy(as_bytes(text)); }

  /// Appends `size` bytes for the caller to write and returns where to write them. The pointer is
  /// valid until the next call of a member function.
  std::byte* extend(std::size_t size);

  /// Pieces shorter than this are copied by `refer()`: another piece of a scatter write costs more.
  static constexpr std::size_t kReferAtLeast = 2048;

  /// Appends a reference; the bytes stay the caller's until `settle()`.
  void refer(Bytes bytes);

  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Bytes not yet consumed.
  [[nodiscard]] std::size_t size() const { return size_; }

  /// A position among the copied bytes, for `revise()`.
  using Mark = std::uint64_t;
  /// Where the next copied byte will stand.
  [[nodiscard]] Mark mark() const { return owned_before_ + owned_.size(); }
  /// The copied byte at `mark`, to be overwritten in place; null when it was consumed. An encoder
  /// uses it to lengthen a record whose header has not left yet. Valid like `extend()`'s pointer.
  std::byte* revise(Mark mark);
  /// Takes back the last `count` bytes, which must have been copied in last of all.
  void drop_tail(std::size_t count);
  /// Bytes ever consumed.
  [[nodiscard]] std::uint64_t consumed() const { return appended_ - size_; }
  /// Bytes ever appended; tells an encoder whether anything followed what it wrote.
  [[nodiscard]] std::uint64_t appended() const { return appended_; }

  /// Fills `pieces` with the first of what is waiting, in order, and returns how many were filled.
  std::size_t gather(std::span<Bytes> pieces) const;

  /// Drops the first `count` bytes. `count` must not exceed `size()`.
  void consume(std::size_t count);

  /// Copies what is still only referred to, so that the borrowed memory may be reused.
  void settle();

  /// Bytes of memory that it holds; what it refers to is not among them.
  [[nodiscard]] std::size_t memory() const { return owned_.capacity() + memory_of(references_); }
  /// Gives the memory back when nothing is waiting; otherwise does nothing.
  void release();

 private:
  struct Reference {
    std::size_t at;  // position in owned_ in front of which the bytes belong
    Bytes bytes;
  };

  Buffer owned_;
  std::vector<Reference> references_;
  std::size_t consumed_ = 0;         // of owned_
  std::size_t first_reference_ = 0;  // references before this one are consumed
  std::size_t size_ = 0;
  std::uint64_t owned_before_ = 0;  // copied bytes that were consumed and left owned_
  std::uint64_t appended_ = 0;

  void forget_consumed();
};

}  // namespace viaduct::protocol
