#include "protocol/fastcgi/client_codec.hpp"
#include "sdk/src/testing/cgi_reply.hpp"
#include "sdk/src/testing/cgi_variables.hpp"
#include "sdk/src/testing/transport.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {
namespace {

using protocol::fastcgi::ClientEvent;

class FastCgiTransport final : public Transport {
 public:
  void begin(const Outgoing& request) override {
    codec_.begin(kId, protocol::Role::responder, false);
    protocol::Pairs params;
    for (const auto& [name, value] : cgi_variables(request, false)) params.add(name, value);
    codec_.params(kId, params);
    for (const std::string& piece : request.pieces) {
      if (!piece.empty()) codec_.input(kId, protocol::as_bytes(piece));
    }
    codec_.input_end(kId);
  }

  protocol::Output& output() override { return codec_.output(); }

  void feed(protocol::Bytes bytes, ReplyBuilder& reply) override {
    while (!bytes.empty() && !done()) {
      bytes = bytes.subspan(codec_.feed(bytes));
      for (ClientEvent event = codec_.next(); event.kind != ClientEvent::Kind::none;
           event = codec_.next()) {
        handle(event, reply);
      }
    }
  }

  // Not without FCGI_END_REQUEST.
  void end_of_file(ReplyBuilder&) override { ended_ = true; }
  [[nodiscard]] bool done() const override {
    return ended_ || codec_.error() != protocol::Errc::ok;
  }

 private:
  static constexpr protocol::RequestId kId = 1;

  void handle(const ClientEvent& event, ReplyBuilder& reply) {
    if (event.kind == ClientEvent::Kind::output) cgi_.feed(event.bytes, reply);
    if (event.kind != ClientEvent::Kind::end) return;
    ended_ = true;
    if (event.app_status == 0) reply.end();
  }

  protocol::fastcgi::ClientCodec codec_;
  CgiReply cgi_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Transport> make_fastcgi_transport() {
  return std::make_unique<FastCgiTransport>();
}

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
