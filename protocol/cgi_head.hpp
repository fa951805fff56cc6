#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/errc.hpp"
#include "protocol/message.hpp"
#include "protocol/output.hpp"

namespace viaduct::protocol {

/// What CgiHeadReader does with heads that break the rules in a way which web servers put up with.
enum class HeadRules : std::uint8_t { lenient, strict };

/// What a lenient reader has mended.
enum class Mend : std::uint8_t {
  none,
  no_field,           ///< The head was empty: the status is 200.
  bad_name,           ///< A field whose name is no token was dropped.
  repeated_field,     ///< The last Content-Type was kept; of equal Status or Location fields, one.
  bad_length,         ///< A Content-Length that is no number was dropped.
  transfer_encoding,  ///< Transfer-Encoding chunked, identity or empty was dropped.
};

/// One short English phrase, for log lines.
[[nodiscard]] const char* describe(Mend mend);

/// Reads the head of a CGI response (RFC 3875 section 6), cut into pieces at any byte.
///
///     size_t taken = reader.feed(bytes);   // up to and including the blank line
///     if (reader.error() != Errc::ok) ...
///     if (reader.done()) ... reader.head() ..., the rest of bytes is body
///
/// Accepts LF and CRLF, a bare `HTTP/1.x NNN reason` line in front as some programs send, and
/// `Status: NNN reason`, which counts if both are there. Status is 302 when only Location was
/// given. Hop-by-hop fields (Connection, Keep-Alive, ...) are dropped, Upgrade is unless the status
/// is 101, Content-Length is where it is 204. Equal Content-Length fields become one. Heads of
/// interim responses (RFC 9110 section 15.2: 1xx but 101), at most kInterim of them, are skipped.
///
/// Lenient, it mends what Mend lists; strict, that is an error. Always errors are CR or NUL, lines
/// without a colon or with white space before it, folded lines, lengths or other CGI fields that
/// contradict each other or stand more than sixteen times too often, and other transfer codings, of
/// which the body could not be told.
class CgiHeadReader {
 public:
  /// Of one response.
  static constexpr unsigned kInterim = 16;

  /// `limit`: bytes of a whole head, that of each interim response too.
  explicit CgiHeadReader(std::size_t limit = 64 * 1024, HeadRules rules = HeadRules::lenient)
      : limit_(limit), rules_(rules) {}

  std::size_t feed(Bytes bytes);
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] Errc error() const { return error_; }
  /// Bytes of the head seen so far.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// The head, once done(); may be moved from.
  [[nodiscard]] ResponseHead& head() { return head_; }
  [[nodiscard]] const ResponseHead& head() const { return head_; }
  /// What was mended first.
  [[nodiscard]] Mend mend() const { return mend_; }
  /// The beginning of the line that mend() is about: bytes of the program.
  [[nodiscard]] std::string_view mended_line() const { return mended_line_; }
  /// Makes it ready for another response; keeps memory up to a few KiB.
  void reset();
  /// The same, with other rules.
  void reset(HeadRules rules) {
    reset();
    rules_ = rules;
  }
  /// Bytes of memory that it holds.
  [[nodiscard]] std::size_t memory() const {
    return memory_of(partial_) + memory_of(upgrade_) + memory_of(mended_line_) +
           memory_of(head_.reason) + head_.fields.memory();
  }

 private:
  Errc take_line(std::string_view line);
  Errc take_status_line(std::string_view line);
  Errc take_field(std::string_view name, std::string_view value);
  Errc take_status(std::string_view value);
  Errc take_location(std::string_view name, std::string_view value);
  Errc take_length(std::string_view name, std::string_view value);
  void take_type(std::string_view name, std::string_view value);
  void erase_field(std::string_view name);
  Errc mended(Mend mend, Errc otherwise);
  Errc finish();
  void begin_head();

  std::size_t limit_;
  HeadRules rules_;
  std::size_t size_ = 0;
  unsigned interim_ = 0;
  unsigned repeats_ = 0;   // of fields that stand once, in all heads of the response
  std::string partial_;    // a line that is incomplete
  std::string_view line_;  // that is being read
  std::string upgrade_;    // value of the field
  struct {
    bool first_line = false;
    bool status_line = false;
    bool any_field = false;
    bool status = false;  // the CGI fields (RFC 3875 6.3)
    bool location = false;
    bool content_type = false;
    bool bad_length = false;
  } seen_;
  bool done_ = false;
  Errc error_ = Errc::ok;
  Mend mend_ = Mend::none;
  std::string mended_line_;
  ResponseHead head_;
};

/// Appends `Status: NNN reason`, the fields and the blank line (CRLF), as a CGI response begins;
/// with a Location field, Status is the last one, since HAProxy otherwise answers 302.
/// CR, LF and NUL in a value become spaces, as do all control characters but TAB in the reason (RFC
/// 9112 section 4). Fields whose name is no token are left out, an empty reason becomes the
/// standard one, and a status outside 100 to 999 becomes 500.
void write_cgi_head(const ResponseHead& head, std::string& to);
/// The same with a status line `HTTP/1.1 NNN reason` instead of the Status field.
void write_http_head(const ResponseHead& head, std::string& to);

}  // namespace viaduct::protocol
