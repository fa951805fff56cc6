#pragma once

#include <memory>
#include <string>

#include "protocol/http/codec.hpp"
#include "tests/support/trace.hpp"

namespace viaduct::test {

/// The trace of a connection on which `bytes` arrive, the same at every split.
inline std::string http_trace(const std::string& bytes, const Handler& handler = {},
                              protocol::http::ServerOptions options = {}) {
  return trace_at_every_split(
      [&] { return std::make_unique<protocol::http::ServerCodec>(options); }, bytes, handler);
}

/// An owner that answers each request with `ok`, its length declared, once all of it has come.
inline void answer_ok(protocol::ServerCodec& codec, const protocol::Event& event) {
  using Kind = protocol::Event::Kind;
  if (event.kind != Kind::body_end && event.kind != Kind::refused) return;
  protocol::ResponseHead head;
  head.status = event.kind == Kind::refused ? 400 : 200;
  head.content_length = 2;
  head.fields.add("Content-Length", "2");
  codec.head(event.id, head);
  codec.body(event.id, protocol::as_bytes("ok"));
  codec.end(event.id);
}

}  // namespace viaduct::test
