#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "protocol/errc.hpp"
#include "protocol/fastcgi/wire.hpp"
#include "protocol/output.hpp"

namespace viaduct::protocol::fastcgi {

/// A piece of one record's content. A record arrives as one piece or more; the boundaries between
/// pieces carry no meaning.
struct RecordPiece {
  std::uint8_t type = 0;
  RequestId id = 0;
  std::uint16_t content = 0;  ///< length of the whole record's content
  bool first = false;         ///< the record begins with this piece
  bool last = false;          ///< its content is complete with this piece
  Bytes bytes;                ///< borrowed from the bytes read; may be empty
};

/// Cuts a stream of bytes into records (FastCGI 3.3). Holds at most a partial header.
class RecordReader {
 public:
  /// Takes bytes up to the end of one piece, and padding in front of it. Returns how many; true in
  /// `ready` when `piece` is to be looked at. Takes at least one byte of a non-empty span unless
  /// the header is bad.
  std::size_t read(Bytes bytes, RecordPiece& piece, bool& ready) {
    return opened_ ? read_content(bytes, 0, piece, ready) : read_header(bytes, piece, ready);
  }

  /// ok, or bad_version.
  [[nodiscard]] Errc error() const { return error_; }

  /// Between two records, nothing held.
  [[nodiscard]] bool at_boundary() const {
    return header_size_ == 0 && content_left_ == 0 && padding_left_ == 0;
  }

 private:
  std::size_t read_header(Bytes bytes, RecordPiece& piece, bool& ready);
  std::size_t read_content(Bytes bytes, std::size_t taken, RecordPiece& piece, bool& ready);
  void open(const std::byte* header);

  std::array<std::byte, kHeaderSize> header_{};
  std::uint8_t header_size_ = 0;
  bool opened_ = false;  // a header was read and its content is not complete
  bool begun_ = false;   // a piece of it was reported
  std::uint32_t content_left_ = 0;
  std::uint32_t padding_left_ = 0;
  RecordPiece current_;
  Errc error_ = Errc::ok;
};

/// Collects the 8-byte (or shorter) body of a control record that may arrive in pieces.
class FixedBody {
 public:
  void append(const RecordPiece& piece);
  [[nodiscard]] std::uint32_t byte(std::size_t index) const {
    return std::to_integer<std::uint32_t>(bytes_[index]);
  }
  /// The big-endian number of the first four bytes.
  [[nodiscard]] std::uint32_t number() const {
    return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
  }

 private:
  std::array<std::byte, kFixedBody> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace viaduct::protocol::fastcgi
