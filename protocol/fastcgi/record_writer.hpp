#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/fastcgi/wire.hpp"
#include "protocol/message.hpp"
#include "protocol/output.hpp"

namespace viaduct::protocol::fastcgi {

/// Encodes records into an Output. Content is padded to a multiple of 8 bytes (FastCGI 3.3).
class RecordWriter {
 public:
  [[nodiscard]] Output& output() { return output_; }
  [[nodiscard]] const Output& output() const { return output_; }

  /// Content of a stream, in as few records as possible: while the last record written belongs to
  /// the same stream and its header has not left, that record is lengthened. Large pieces are
  /// referred to (Output::refer).
  void stream(unsigned type, RequestId id, Bytes bytes);
  /// The empty record that ends a stream.
  void stream_end(unsigned type, RequestId id);

  void begin(RequestId id, Role role, bool keep_connection);
  void abort(RequestId id);
  void end(RequestId id, std::uint32_t app_status, ProtocolStatus status);
  void unknown_type(std::uint8_t type);
  void credit(RequestId id, std::uint32_t bytes);
  /// VIADUCT_TRACE, one record; of `text` the first kMaxTrace bytes are copied.
  void trace(RequestId id, std::string_view text);

  /// Name-value pairs as content of records of `type`. No pair crosses a record unless it is longer
  /// than one; without pairs there is no record. Names and values have less than 2^31 bytes.
  void pairs(unsigned type, RequestId id, const Pairs& pairs);

  /// FCGI_GET_VALUES for those names, which fit into a record. Always padded: libfcgi would wait
  /// for more before it answers.
  void query(const Pairs& names);

  /// A record of an invalid version and type: the peer that reads it must drop the connection, or
  /// skip the record and miss the end of the response.
  void broken();

 private:
  void fixed(unsigned type, RequestId id, std::array<std::uint8_t, kFixedBody> body);
  void header(unsigned type, RequestId id, std::size_t content, std::uint8_t padding);
  void pad(std::uint8_t padding);
  std::size_t lengthen(Bytes bytes);
  void remember(unsigned type, RequestId id, std::size_t content);
  void split_pair(unsigned type, RequestId id, Pairs::Item pair);

  Output output_;
  // The stream record written last, which may still be lengthened.
  struct {
    Output::Mark mark = 0;
    std::uint64_t end = 0;  // Output::appended() behind it; 0: there is none
    unsigned type = 0;
    RequestId id = 0;
    std::size_t content = 0;
  } last_;
};

}  // namespace viaduct::protocol::fastcgi
