// A PARAMS stream without record headers in its way: the input is the stream itself. What is read
// is also written and read again.

#include "protocol/fastcgi/client_codec.hpp"
#include "protocol/fastcgi/params.hpp"
#include "protocol/fastcgi/server_codec.hpp"
#include "tests/fuzz/invariants.hpp"

namespace {

using namespace viaduct;
using protocol::Errc;

constexpr protocol::Limits kLimits{.params = 2048, .name = 200, .value = 1024, .count = 64};

std::string show(const protocol::RequestHead& head) {
  std::string text;
  for (const auto [name, value] : head.params) {
    text += test::show(name) + "=" + test::show(value) + "\n";
  }
  return text;
}

// Through both codecs, once.
std::string round_trip(const protocol::RequestHead& head) {
  protocol::fastcgi::ClientCodec client;
  client.begin(1, protocol::Role::responder, true);
  client.params(1, head.params);
  const std::string bytes = test::drain(client.output());
  protocol::Limits limits;
  limits.params = 64 * 1024;
  protocol::fastcgi::ServerCodec server({.limits = limits});
  protocol::Bytes left = protocol::as_bytes(bytes);
  while (!left.empty()) {
    left = left.subspan(server.feed(left));
    const protocol::Event event = server.next();
    if (event.kind == protocol::Event::Kind::request) return show(*event.head);
    if (event.kind != protocol::Event::Kind::none) std::abort();
  }
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto once = [](const std::vector<std::string_view>& pieces) -> std::string {
    protocol::fastcgi::ParamsReader reader(kLimits);
    for (const std::string_view piece : pieces) {
      const Errc error = reader.feed(protocol::as_bytes(piece));
      if (error != Errc::ok) return describe(error);
    }
    protocol::RequestHead head;
    const Errc error = reader.finish(head);
    if (error != Errc::ok) return describe(error);
    // Merging adds separators, two bytes each at most.
    if (head.params.bytes() > kLimits.params + 2 * kLimits.count) std::abort();
    if (round_trip(head) != show(head)) std::abort();
    return show(head);
  };
  test::check_independent_of_cuts(test::input(data, size), once);
  return 0;
}
