#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/errc.hpp"
#include "protocol/memory.hpp"

namespace viaduct::protocol::http {

/// Collects the bytes of one request head, up to and including the blank line.
///
/// It is stricter than most parsers, since requests are smuggled where two of them disagree on
/// lines: a CR or LF alone, a NUL (`bare_line_end`) and a line that continues the one before it
/// (`bad_field_line`, the obs-fold of RFC 9112 section 5.2) are errors, found at the byte that
/// makes them so. Blank lines in front of the request line are skipped (2.2).
class HeadReader {
 public:
  /// `limit`: bytes of the whole head, beyond which it is params_too_large.
  explicit HeadReader(std::uint64_t limit) : limit_(limit) {}

  /// Takes bytes up to the end of the head or the byte that is wrong, and says how many.
  std::size_t feed(std::string_view bytes);
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] Errc error() const { return error_; }
  /// Nothing of a head has come.
  [[nodiscard]] bool empty() const { return text_.empty() && previous_ != '\r'; }
  /// What was collected.
  [[nodiscard]] std::string_view text() const { return text_; }
  /// Makes it ready for another head; keeps memory up to a few KiB.
  void reset();
  /// Bytes of memory that it holds.
  [[nodiscard]] std::size_t memory() const { return memory_of(text_); }
  /// Gives it back when nothing was collected.
  void release() {
    if (text_.empty()) give_back(text_);
  }

 private:
  std::size_t pass_over(std::string_view bytes);
  void take(char c);
  void end_line();

  const std::uint64_t limit_;
  std::string text_;
  std::uint64_t line_ = 0;  // bytes of the line, its end excepted
  std::uint64_t size_ = 0;  // bytes since the request line began
  char previous_ = '\n';
  bool begun_ = false;  // the request line has
  bool done_ = false;
  Errc error_ = Errc::ok;
};

}  // namespace viaduct::protocol::http
