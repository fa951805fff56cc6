#include "protocol/fastcgi/record.hpp"

#include <algorithm>
#include <cstring>

namespace viaduct::protocol::fastcgi {

std::size_t RecordReader::read_header(Bytes bytes, RecordPiece& piece, bool& ready) {
  ready = false;
  std::size_t taken = std::min<std::size_t>(padding_left_, bytes.size());
  padding_left_ -= static_cast<std::uint32_t>(taken);
  const std::size_t left = bytes.size() - taken;
  if (header_size_ == 0 && left >= kHeaderSize) {
    open(bytes.data() + taken);
    taken += kHeaderSize;
  } else {
    const std::size_t step = std::min<std::size_t>(kHeaderSize - header_size_, left);
    if (step > 0) std::memcpy(header_.data() + header_size_, bytes.data() + taken, step);
    header_size_ = static_cast<std::uint8_t>(header_size_ + step);
    taken += step;
    if (header_size_ < kHeaderSize) return taken;
    open(header_.data());
  }
  return error_ == Errc::ok ? read_content(bytes, taken, piece, ready) : taken;
}

// `taken`: bytes of the span that belong to what precedes the content.
std::size_t RecordReader::read_content(Bytes bytes, std::size_t taken, RecordPiece& piece,
                                       bool& ready) {
  const std::size_t step = std::min<std::size_t>(content_left_, bytes.size() - taken);
  ready = step > 0 || content_left_ == 0;
  if (!ready) return taken;
  content_left_ -= static_cast<std::uint32_t>(step);
  piece.type = current_.type;
  piece.id = current_.id;
  piece.content = current_.content;
  piece.first = !begun_;
  piece.last = content_left_ == 0;
  piece.bytes = bytes.subspan(taken, step);
  begun_ = true;
  opened_ = !piece.last;
  return taken + step;
}

void RecordReader::open(const std::byte* header) {
  const auto at = [header](std::size_t i) { return std::to_integer<std::uint32_t>(header[i]); };
  header_size_ = 0;
  if (at(0) != FCGI_VERSION_1) {
    error_ = Errc::bad_version;
    return;
  }
  current_.type = static_cast<std::uint8_t>(at(1));
  current_.id = static_cast<RequestId>(at(2) << 8 | at(3));
  content_left_ = at(4) << 8 | at(5);
  current_.content = static_cast<std::uint16_t>(content_left_);
  padding_left_ = at(6);
  opened_ = true;
  begun_ = false;
}

void FixedBody::append(const RecordPiece& piece) {
  if (piece.first) size_ = 0;
  const std::size_t step = std::min(piece.bytes.size(), bytes_.size() - size_);
  if (step > 0) std::memcpy(bytes_.data() + size_, piece.bytes.data(), step);
  size_ += step;
}

}  // namespace viaduct::protocol::fastcgi
