#pragma once

#include <fastcgi.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/message.hpp"

namespace viaduct::protocol::fastcgi {

/// The wire format's structures and numbers are those of libfcgi's <fastcgi.h>. This adds the names
/// of the link's extension (protocol/README.md) and the encoders of fixed records.

/// Application record: returns credit; content is one 4-byte big-endian count.
inline constexpr std::uint8_t kCredit = 128;
/// Application record: to a server, empty, it asks what the handler of a request is doing; the
/// answer has the same type and the text of a stack trace as content.
inline constexpr std::uint8_t kTrace = 129;
/// Bytes of such a text at most.
inline constexpr std::size_t kMaxTrace = 32 * 1024;
/// Variable of FCGI_GET_VALUES and its result: the sender's receive window in bytes, decimal.
inline constexpr std::string_view kWindowName = "VIADUCT_WINDOW";
/// Variable of a result: how many requests beyond FCGI_MAX_REQS the sender accepts, which wait
/// there for their turn.
inline constexpr std::string_view kPrefetchName = "VIADUCT_PREFETCH";
/// Variable of a result: kThreadsModel when each request occupies a thread of the sender's, which
/// waits for the body; else anything.
inline constexpr std::string_view kModelName = "VIADUCT_MODEL";
inline constexpr std::string_view kThreadsModel = "threads";
/// Variable of FCGI_GET_VALUES, of any value: the sender is about to begin no more requests on this
/// connection, so that responses without an end of their own should end. Its result is "1".
inline constexpr std::string_view kDrainingName = "VIADUCT_DRAINING";

inline constexpr std::size_t kHeaderSize = FCGI_HEADER_LEN;
inline constexpr std::size_t kMaxContent = FCGI_MAX_LENGTH;
/// The content length we prefer: the greatest that needs no padding.
inline constexpr std::size_t kPreferredContent = 65528;
/// BEGIN_REQUEST, END_REQUEST and UNKNOWN_TYPE all have a body of this size.
inline constexpr std::size_t kFixedBody = 8;

/// FCGI_END_REQUEST's protocolStatus (FastCGI 5.5).
enum class ProtocolStatus : std::uint8_t {
  request_complete = FCGI_REQUEST_COMPLETE,
  cant_multiplex = FCGI_CANT_MPX_CONN,
  overloaded = FCGI_OVERLOADED,
  unknown_role = FCGI_UNKNOWN_ROLE,
};

using HeaderBytes = std::array<std::byte, kHeaderSize>;

/// Padding after `content` bytes, up to a multiple of 8 (FastCGI 3.3).
[[nodiscard]] constexpr std::uint8_t padding_for(std::size_t content) {
  return static_cast<std::uint8_t>((8 - content % 8) % 8);
}

[[nodiscard]] constexpr HeaderBytes record_header(unsigned type, RequestId id, std::size_t content,
                                                  std::uint8_t padding = 0) {
  return {std::byte{FCGI_VERSION_1},
          static_cast<std::byte>(type),
          static_cast<std::byte>(id >> 8),
          static_cast<std::byte>(id & 0xff),
          static_cast<std::byte>(content >> 8),
          static_cast<std::byte>(content & 0xff),
          std::byte{padding},
          std::byte{0}};
}

}  // namespace viaduct::protocol::fastcgi
