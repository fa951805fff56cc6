#pragma once

#include <cstddef>

#include "protocol/cgi_head.hpp"
#include "sdk/src/testing/reply_builder.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {

/// A CGI response (RFC 3875 section 6) as it arrives.
class CgiReply {
 public:
  void feed(protocol::Bytes bytes, ReplyBuilder& reply) {
    if (!reader_.done()) {
      bytes = bytes.subspan(reader_.feed(bytes));
      if (!reader_.done() || reader_.error() != protocol::Errc::ok) return;
      reply.head(reader_.head());
    }
    reply.body(bytes);
  }
  /// End of file where that is what ends a response: it is complete when no byte is missing.
  void end_of_file(bool head_only, ReplyBuilder& reply) {
    if (!reader_.done()) return;
    const protocol::ResponseHead& head = reader_.head();
    const bool has_body = !head_only && !protocol::bodiless(head.status);
    if (has_body && reply.body_size() < head.content_length.value_or(0)) return;
    reply.end();
  }

 private:
  // A front server's limit would hide what the application sends.
  static constexpr std::size_t kLongestHead = std::size_t{64} << 20;
  protocol::CgiHeadReader reader_{kLongestHead};
};

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
