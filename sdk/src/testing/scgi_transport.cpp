#include "sdk/src/testing/cgi_reply.hpp"
#include "sdk/src/testing/cgi_variables.hpp"
#include "sdk/src/testing/transport.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {
namespace {

class ScgiTransport final : public Transport {
 public:
  void begin(const Outgoing& request) override {
    head_only_ = request.method == "HEAD";
    std::string block;
    const auto append = [&block](std::string_view name, std::string_view value) {
      block.append(name).push_back('\0');
      block.append(value).push_back('\0');
    };
    // CONTENT_LENGTH has to be the first and SCGI has to be there.
    const CgiVariables variables = cgi_variables(request, true);
    append(variables.front().first, variables.front().second);
    append("SCGI", "1");
    for (auto item = variables.begin() + 1; item != variables.end(); ++item) {
      append(item->first, item->second);
    }
    output_.copy(std::to_string(block.size()) + ':' + block + ',');
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
  protocol::Output output_;
  CgiReply cgi_;
  bool head_only_ = false;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Transport> make_scgi_transport() {
  return std::make_unique<ScgiTransport>();
}

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
