#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/errc.hpp"

namespace viaduct::protocol::http {

/// Decodes one body in the chunked transfer coding (RFC 9112 section 7.1), cut at any byte, without
/// storing any of it. Boost.Beast's own decoder wants the line in front of a chunk, and all of the
/// trailer section, in one piece.
///
///     size --;--> extension --+
///       |                     v
///       +------ CRLF -----> content --> CRLF --> size
///                  | size 0
///                  +------> trailer lines --> blank line: done
///
/// Lines end with CRLF and nothing else. Extensions and trailer fields are skipped, up to 4096
/// bytes of each line's extension and of the whole trailer section; but what is no field line,
/// such as another request, is no trailer.
class ChunkedReader {
 public:
  struct Piece {
    std::size_t taken = 0;       ///< bytes, from the front
    std::string_view content{};  ///< of the body, within them; may be empty
  };
  /// Takes bytes up to the end of the next piece of content, the end of the body or an error; at
  /// least one of a non-empty view, until done() or error().
  Piece feed(std::string_view bytes);
  [[nodiscard]] bool done() const { return state_ == State::done; }
  /// ok or bad_chunk.
  [[nodiscard]] Errc error() const { return error_; }

 private:
  enum class State : std::uint8_t {
    size,
    extension,
    size_end,  // CR has come
    content,
    content_cr,
    content_lf,
    trailer_start,  // of a line
    trailer_name,
    trailer,
    trailer_end,  // CR of a line has come
    last_lf,      // CR of the blank line has come
    done,
  };

  void take(char c);
  void take_size(char c);
  void take_trailer(char c);
  void skip(char c);
  void expect(char c, char wanted, State then);
  void begin_content();

  State state_ = State::size;
  Errc error_ = Errc::ok;
  std::uint64_t left_ = 0;  // of the chunk
  std::uint32_t digits_ = 0;
  std::uint32_t skipped_ = 0;
};

}  // namespace viaduct::protocol::http
