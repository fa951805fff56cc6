#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "protocol/codec.hpp"
#include "protocol/fastcgi/server_codec.hpp"
#include "sdk/src/runtime/listener.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// What the codecs of an engine's connections are told.
struct CodecOptions {
  std::uint32_t connections;  ///< at once, told to FastCGI peers that ask
  std::uint32_t handlers;     ///< requests handled at once, ditto
  std::uint32_t requests;     ///< active at once on one connection, beyond which it is refused
  std::uint32_t window;       ///< bytes, our receive window per request
  std::uint32_t prefetch;     ///< requests that may be sent beyond `handlers`
  std::string_view model;     ///< VIADUCT_MODEL, told to FastCGI peers that ask
  bool hold_values;           ///< FastCGI peers that ask are to wait for the answer
};

/// The codec of one connection.
struct ConnectionCodec {
  std::unique_ptr<protocol::ServerCodec> codec;
  protocol::fastcgi::ServerCodec* fastcgi = nullptr;  ///< the same one, if it is that
};

/// A codec for the new connection `fd`, which stays the caller's.
[[nodiscard]] ConnectionCodec make_codec(Listener::Protocol protocol, int fd,
                                         const CodecOptions& options);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
