#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/errc.hpp"
#include "protocol/message.hpp"
#include "protocol/output.hpp"

namespace viaduct::protocol {

/// Reads the head of a CGI response (RFC 3875 section 6), cut into pieces at any byte.
///
///     size_t taken = reader.feed(bytes);   // up to and including the blank line
///     if (reader.error() != Errc::ok) ...
///     if (reader.done()) ... reader.head() ..., the rest of bytes is body
///
/// Accepts LF and CRLF, a bare `HTTP/1.x NNN reason` line in front as some programs send, and
/// `Status: NNN reason`, which counts if both are there. Status is 302 when only Location was
/// given. Hop-by-hop fields (Connection, Keep-Alive, Upgrade, ...) are dropped; Transfer-Encoding
/// is an error (6.3.4), and so is a head without any field. Equal Content-Length fields become one.
class CgiHeadReader {
 public:
  /// `limit`: bytes of the whole head.
  explicit CgiHeadReader(std::size_t limit = 64 * 1024) : limit_(limit) {}

  std::size_t feed(Bytes bytes);
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] Errc error() const { return error_; }
  /// Bytes of the head seen so far.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// The head, once done(); may be moved from.
  [[nodiscard]] ResponseHead& head() { return head_; }
  /// Makes it ready for another response; keeps memory up to a few KiB.
  void reset();
  /// Bytes of memory that it holds.
  [[nodiscard]] std::size_t memory() const {
    return memory_of(partial_) + memory_of(head_.reason) + head_.fields.memory();
  }

 private:
  Errc take_line(std::string_view line);
  Errc take_status_line(std::string_view line);
  Errc take_field(std::string_view name, std::string_view value);
  Errc finish();

  std::size_t limit_;
  std::size_t size_ = 0;
  std::string partial_;  // a line that is incomplete
  struct {
    bool first_line = false;
    bool status_line = false;
    bool any_field = false;
    bool status = false;  // the CGI fields (RFC 3875 6.3)
    bool location = false;
    bool content_type = false;
  } seen_;
  bool done_ = false;
  Errc error_ = Errc::ok;
  ResponseHead head_;
};

/// Appends `Status: NNN reason`, the fields and the blank line (CRLF), as a CGI response begins.
/// CR, LF and NUL in a value become spaces, as do all control characters but TAB in the reason (RFC
/// 9112 section 4). Fields whose name is no token are left out, an empty reason becomes the
/// standard one, and a status outside 100 to 999 becomes 500.
void write_cgi_head(const ResponseHead& head, std::string& to);
/// The same with a status line `HTTP/1.1 NNN reason` instead of the Status field.
void write_http_head(const ResponseHead& head, std::string& to);

}  // namespace viaduct::protocol
