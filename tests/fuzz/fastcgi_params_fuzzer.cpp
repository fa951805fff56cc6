// A PARAMS stream without record headers in its way: the input is the stream itself. What is read
// is also written and read again.

#include "protocol/fastcgi/client_codec.hpp"
#include "protocol/fastcgi/params.hpp"
#include "protocol/fastcgi/server_codec.hpp"
#include "tests/fuzz/invariants.hpp"

namespace {

using namespace viaduct;
using protocol::Errc;

constexpr protocol::Limits kLimits{.params = 2048, .name = 200, .value = 1024, .count = 200};

std::string show(const protocol::Pairs& params) {
  std::string text;
  for (const auto [name, value] : params) {
    text += test::show(name) + "=" + test::show(value) + "\n";
  }
  return text;
}

// Through both codecs, once: a request of a filter, which has all the streams there are.
std::string round_trip(const protocol::Pairs& params) {
  protocol::fastcgi::ClientCodec client;
  client.get_values(std::nullopt);
  client.begin(1, protocol::Role::filter, true);
  client.params(1, params);
  client.input(1, protocol::as_bytes("body"));
  client.input_end(1);
  client.trace(1);
  client.data(1, protocol::as_bytes("file"));
  client.data_end(1);
  const std::string bytes = test::drain(client.output());
  protocol::Limits limits;
  limits.params = limits.value = 256 * 1024;
  protocol::fastcgi::ServerCodec server({.limits = limits});
  std::string text;
  std::string content;
  for (protocol::Bytes left = protocol::as_bytes(bytes); !left.empty();) {
    left = left.subspan(server.feed(left));
    for (auto event = server.next(); event.kind != protocol::Event::Kind::none;
         event = server.next()) {
      if (event.kind == protocol::Event::Kind::request) text = show(event.head->params);
      content += protocol::as_text(event.bytes);
    }
  }
  // A CONTENT_LENGTH is not that of this body.
  const bool whole = content == "bodyfile" || params.get("CONTENT_LENGTH");
  if (server.error() != Errc::ok || !whole) std::abort();
  return text;
}

}  // namespace

// A pair that no record can hold is more than an input is long.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  protocol::Pairs params;
  params.add("LONG", std::string(70'000, 'v'));
  if (round_trip(params) != show(params)) std::abort();
  return 0;
}

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
    if (round_trip(head.params) != show(head.params)) std::abort();
    return show(head.params);
  };
  test::check_independent_of_cuts(test::input(data, size), once);
  return 0;
}
