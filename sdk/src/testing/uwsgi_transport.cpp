#include <stdexcept>

#include "sdk/src/testing/cgi_reply.hpp"
#include "sdk/src/testing/cgi_variables.hpp"
#include "sdk/src/testing/transport.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {
namespace {

constexpr std::size_t kMaxBlock = 65535;  // its size is 16 bits wide

void append_size(std::size_t size, std::string& to) {
  to.push_back(static_cast<char>(size & 0xff));
  to.push_back(static_cast<char>(size >> 8 & 0xff));
}

class UwsgiTransport final : public Transport {
 public:
  void begin(const Outgoing& request) override {
    head_only_ = request.method == "HEAD";
    std::string block;
    for (const auto& [name, value] : cgi_variables(request, true)) {
      append_size(name.size(), block);
      block += name;
      append_size(value.size(), block);
      block += value;
      if (name.size() > kMaxBlock || block.size() > kMaxBlock) {
        throw std::length_error("uwsgi carries at most 65535 bytes of variables");
      }
    }
    std::string packet(1, '\0');  // modifier1: variables follow
    append_size(block.size(), packet);
    packet.push_back('\0');
    output_.copy(packet + block);
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

std::unique_ptr<Transport> make_uwsgi_transport() {
  return std::make_unique<UwsgiTransport>();
}

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
