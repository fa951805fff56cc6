// Bytes of a client to the HTTP codec. The first one chooses what the owner does, see
// make_corpus.cpp.

#include "protocol/http/codec.hpp"
#include "tests/fuzz/invariants.hpp"

namespace {

using viaduct::protocol::Event;

// What it does must not depend on how the bytes were cut: it answers where a request begins or
// ends.
void own(unsigned behaviour, viaduct::protocol::ServerCodec& codec, const Event& event) {
  using Kind = Event::Kind;
  const bool complete = event.kind == Kind::body_end || event.kind == Kind::refused;
  const bool begins = event.kind == Kind::request || event.kind == Kind::refused;
  if (event.kind == Kind::abort) return codec.end(event.id);
  if (event.kind == Kind::request && behaviour == 0) codec.want_body(event.id);
  if (codec.multiplexed() || (begins && codec.idle())) std::abort();
  if (behaviour == 3 || !(behaviour == 0 ? complete : begins)) return;
  viaduct::protocol::ResponseHead head;
  static const std::string kLarge(3 * viaduct::protocol::Output::kReferAtLeast, 'a');
  codec.head(event.id, head);
  codec.body(event.id, viaduct::protocol::as_bytes("answer"));
  if (behaviour == 1) codec.body(event.id, viaduct::protocol::as_bytes(kLarge));
  if (behaviour == 2) return codec.fail(event.id);
  codec.end(event.id);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  if (size == 0) return 0;
  const unsigned behaviour = data[0] & 3U;
  const auto odd =
      (data[0] & 4U) != 0 ? protocol::http::OddNames::keep : protocol::http::OddNames::drop;
  const auto once = [behaviour, odd](const std::vector<std::string_view>& pieces) {
    protocol::http::ServerOptions options;
    options.limits = {.params = 512, .name = 64, .value = 256, .count = 24, .requests = 1};
    options.odd_names = odd;
    protocol::http::ServerCodec codec(options);
    return test::trace(codec, pieces,
                       [behaviour](protocol::ServerCodec& own_codec, const Event& event) {
                         own(behaviour, own_codec, event);
                       });
  };
  test::check_independent_of_cuts(test::input(data + 1, size - 1), once);
  return 0;
}
