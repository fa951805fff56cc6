#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <viaduct/fields.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// What a multipart body may make us store or count.
struct MultipartLimits {
  std::size_t parts = 1000;
  std::size_t head = 16 * 1024;  ///< bytes of one part's header lines, line ends included
};

/// Why a multipart body cannot be read on.
enum class MultipartError : std::uint8_t {
  ok,
  bad_delimiter,     ///< a delimiter is followed by other bytes on its line
  bad_header,        ///< a header line of a part without a name, or with a byte none may hold
  unfinished,        ///< the body ends without its closing delimiter
  too_many_parts,    ///< more than MultipartLimits::parts
  header_too_large,  ///< more than MultipartLimits::head
};

/// In words, for the client.
[[nodiscard]] const char* describe(MultipartError error);

/// What a MultipartParser reports.
struct MultipartEvent {
  enum class Kind : std::uint8_t {
    none,      ///< nothing (more): feed more bytes
    part,      ///< a part begins: `headers`, which may be moved from
    data,      ///< a piece of its content: `bytes`, never empty
    part_end,  ///< its content is complete
    end,       ///< the closing delimiter was read: what follows is skipped
  };
  Kind kind = Kind::none;
  std::string_view bytes{};
  Fields* headers = nullptr;
};

/// Reads a multipart body (RFC 2046 section 5.1.1), cut into pieces at any byte. Performs no I/O.
///
///     while (!bytes.empty()) {
///       bytes.remove_prefix(parser.feed(bytes));
///       MultipartEvent event = parser.next();
///       if (parser.error() != MultipartError::ok) ...
///     }
///     parser.finish();   // the body has ended; error() tells whether it was complete
///
/// Each feed() takes bytes or makes an event, or both, unless the parser has failed; an event is
/// borrowed from the bytes fed or from the parser and valid until the next feed().
///
/// Lines end with CRLF. A delimiter line may carry trailing spaces and tabs; a line that begins
/// with the delimiter and goes on otherwise is an error, since the standard forbids it in content.
/// What precedes the first delimiter and what follows the last is skipped. Nested multiparts are
/// content like any other. Folded header lines are unfolded.
class MultipartParser {
 public:
  explicit MultipartParser(std::string_view boundary, const MultipartLimits& limits = {});

  std::size_t feed(std::string_view bytes);
  MultipartEvent next();
  void finish();
  [[nodiscard]] MultipartError error() const { return error_; }
  /// Parts that have begun: the number of the one in hand, or of the last one.
  [[nodiscard]] std::size_t parts() const { return parts_; }

 private:
  ///     preamble --> after_delimiter --> head --> content --> after_delimiter ...
  ///                        +-- "--" --> epilogue
  enum class State : std::uint8_t {
    preamble,
    after_delimiter,  // padding, the line's end, or "--"
    head,
    content,
    epilogue,
  };

  std::size_t search(std::string_view bytes);
  std::size_t search_delimiter(std::string_view bytes);
  std::size_t continue_match(std::string_view bytes);
  std::size_t delimiter_tail(std::string_view bytes);
  std::size_t read_head(std::string_view bytes);
  void on_delimiter();
  void begin_content();
  void take_line();
  void store_field();
  void report_data(std::string_view bytes);
  void fail(MultipartError error) { error_ = error; }

  const std::string delimiter_;  // with the CRLF in front
  const MultipartLimits limits_;
  State state_ = State::preamble;
  MultipartError error_ = MultipartError::ok;
  MultipartEvent event_;

  // How much of the delimiter the bytes before the next one are. At the start of the body and of
  // each content the CRLF counts as seen, although it belongs to what came before.
  std::size_t matched_ = 2;
  bool implied_line_end_ = true;

  char tail_ = '\0';  // the last byte seen behind a delimiter
  std::size_t parts_ = 0;
  std::size_t head_size_ = 0;
  std::string line_;   // of the head, incomplete
  std::string field_;  // the line before, which the next one may continue
  Fields headers_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
