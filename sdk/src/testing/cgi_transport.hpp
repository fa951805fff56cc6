#pragma once

#include <string>

#include "sdk/src/testing/cgi_reply.hpp"
#include "sdk/src/testing/cgi_variables.hpp"
#include "sdk/src/testing/transport.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {

/// A protocol of one request for each connection: variables, the body as it is, and a CGI response
/// up to end of file.
class CgiTransport final : public Transport {
 public:
  /// What goes ahead of the body. CONTENT_LENGTH is the first of the variables.
  using Encode = std::string (*)(const CgiVariables& variables);

  explicit CgiTransport(Encode encode) : encode_(encode) {}

  void begin(const Outgoing& request) override {
    head_only_ = request.method == "HEAD";
    output_.copy(encode_(cgi_variables(request, true)));
    for (const std::string& piece : request.pieces) output_.refer(protocol::as_bytes(piece));
  }
  protocol::Output& output() override { return output_; }
  void feed(protocol::Bytes bytes, ReplyBuilder& reply) override { cgi_.feed(bytes, reply); }
  void end_of_file(ReplyBuilder& reply) override {
    cgi_.end_of_file(head_only_, reply);
    ended_ = true;
  }
  [[nodiscard]] bool done() const override { return ended_; }

 private:
  const Encode encode_;
  protocol::Output output_;
  CgiReply cgi_;
  bool head_only_ = false;
  bool ended_ = false;
};

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
