#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "protocol/cgi_head.hpp"
#include "protocol/codec.hpp"
#include "protocol/fastcgi/client_codec.hpp"

namespace viaduct::test {

/// A trace says in text what a codec made of its input, one line per event, whatever pieces the
/// input came in: adjacent body events of one request become one line, and the output stands at the
/// end. Long byte strings are shown as their length and hash.
///
/// The tracer also checks what holds for every input, and throws std::logic_error when it does not:
/// feed() takes no more than it was given and makes progress, borrowed bytes lie in the span fed
/// (HTTP alone holds input back), what a codec says without being told to is at most twice what
/// it was fed, and release() between two pieces changes nothing.

/// What a traced owner does with an event; may be empty.
using Handler = std::function<void(protocol::ServerCodec&, const protocol::Event&)>;

/// Cuts `bytes` behind `sizes`, the rest being the last piece.
std::vector<std::string_view> cut(std::string_view bytes, const std::vector<std::size_t>& sizes);
/// One piece per byte.
std::vector<std::string_view> single_bytes(std::string_view bytes);

std::string trace(protocol::ServerCodec& codec, const std::vector<std::string_view>& pieces,
                  const Handler& handler = {});
std::string trace(protocol::ClientCodec& codec, const std::vector<std::string_view>& pieces);
/// Reads one head; what follows it is shown as `rest`.
std::string trace(protocol::CgiHeadReader& reader, const std::vector<std::string_view>& pieces);

/// The whole trace of a server's codec that broke its connection, or refused its first request, and
/// did nothing else.
std::string error(protocol::Errc value);
std::string refused(protocol::Errc value);

/// Writes the output's bytes out, as a socket that takes `step` bytes at a time would.
std::string drain(protocol::Output& output, std::size_t step = 1000);

/// Text with everything but printable ASCII as \xNN; long text as length and hash.
std::string show(std::string_view bytes);

/// Feeds `bytes` whole, byte by byte, and in two pieces cut at every point (for long input: at some
/// 200 points spread over it). Returns the trace; throws std::logic_error naming the cut at which
/// it differs.
template <class MakeCodec>
std::string trace_at_every_split(MakeCodec make, std::string_view bytes,
                                 const Handler& handler = {});

namespace detail {
using TraceOnce = std::function<std::string(const std::vector<std::string_view>&)>;
std::string trace_at_every_split(const TraceOnce& once, std::string_view bytes);
}  // namespace detail

template <class MakeCodec>
std::string trace_at_every_split(MakeCodec make, std::string_view bytes, const Handler& handler) {
  return detail::trace_at_every_split(
      [&](const std::vector<std::string_view>& pieces) {
        auto codec = make();
        if constexpr (std::is_base_of_v<protocol::ServerCodec,
                                        std::remove_reference_t<decltype(*codec)>>) {
          return trace(*codec, pieces, handler);
        } else {
          return trace(*codec, pieces);
        }
      },
      bytes);
}

}  // namespace viaduct::test
