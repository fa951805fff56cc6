// Bytes of a front server, or of a bridge, to the FastCGI server codec. The first byte chooses the
// options and how the owner behaves.

#include "protocol/fastcgi/server_codec.hpp"
#include "tests/fuzz/invariants.hpp"
#include "tests/fuzz/pieces.hpp"

namespace {

using namespace viaduct;
using protocol::Event;

protocol::fastcgi::ServerCodec& fastcgi(protocol::ServerCodec& codec) {
  return dynamic_cast<protocol::fastcgi::ServerCodec&>(codec);
}

// Echoes bodies; fails, ends or leaves requests as `mode` says.
void answer(protocol::ServerCodec& codec, const Event& event, unsigned mode) {
  switch (event.kind) {
    case Event::Kind::request:
      fastcgi(codec).answer_held_values();
      codec.head(event.id, {});
      break;
    case Event::Kind::body:
      codec.body(event.id, event.bytes);
      fastcgi(codec).credit(event.id, static_cast<std::uint32_t>(event.bytes.size()));
      break;
    case Event::Kind::data:
      codec.errors(event.id, event.bytes);
      break;
    case Event::Kind::trace:
      fastcgi(codec).trace(event.id, "main");
      break;
    case Event::Kind::body_end:
      if (mode == 1) codec.end(event.id, 0);
      if (mode == 2) codec.fail(event.id);
      break;
    case Event::Kind::data_end:
    case Event::Kind::abort:
      codec.end(event.id, 1);
      break;
    case Event::Kind::refused:
      fastcgi(codec).overloaded(event.id);
      break;
    case Event::Kind::draining:
      codec.close_after_response();
      break;
    default:
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = data[0];
  protocol::fastcgi::ServerOptions options;
  options.limits = {.params = 512, .name = 64, .value = 256, .count = 16, .requests = 4};
  options.multiplex = (choice & 1) == 0;
  if ((choice & 2) != 0) options.window = 65536;
  if ((choice & 2) != 0) options.prefetch = 3;
  options.hold_values = (choice & 16) != 0;
  const unsigned mode = choice >> 2 & 3;
  test::Handler handler;
  if (mode != 3) {
    handler = [mode](protocol::ServerCodec& codec, const Event& event) {
      answer(codec, event, mode);
    };
  }
  // What an echo writes depends on how its input is cut, so that modes with a body are compared
  // without it: the trace of the events is all there is when nothing is answered.
  const auto once = [&](const std::vector<std::string_view>& pieces) {
    protocol::fastcgi::ServerCodec codec(options);
    const std::string text = test::trace(codec, pieces, handler);
    return text.substr(0, handler ? text.rfind("\nwrote ") + 1 : text.size());
  };
  test::check_independent_of_cuts(test::input(data + 1, size - 1), once);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  return viaduct::test::mutate(viaduct::test::kChosenRecords, nullptr, data, size, max_size, seed);
}
