// Bytes of a front server, or of a bridge, to the FastCGI server codec. The first byte chooses the
// options and how the owner behaves.

#include "protocol/fastcgi/server_codec.hpp"
#include "tests/fuzz/invariants.hpp"

namespace {

using namespace viaduct;
using protocol::Event;

// Echoes bodies; fails, ends or leaves requests as `mode` says.
void answer(protocol::ServerCodec& codec, const Event& event, unsigned mode) {
  switch (event.kind) {
    case Event::Kind::request:
      codec.head(event.id, {});
      break;
    case Event::Kind::body:
      codec.body(event.id, event.bytes);
      break;
    case Event::Kind::data:
      codec.errors(event.id, event.bytes);
      break;
    case Event::Kind::trace:
      dynamic_cast<protocol::fastcgi::ServerCodec&>(codec).trace(event.id, "main");
      break;
    case Event::Kind::body_end:
      if (mode == 1) codec.end(event.id, 0);
      if (mode == 2) codec.fail(event.id);
      break;
    case Event::Kind::abort:
    case Event::Kind::refused:
      codec.end(event.id, 1);
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
