// A front server's bytes to the uwsgi codec; each request that comes out of them is written for
// SCGI and uwsgi servers, and has to be read there as what it was. What a server answers is passed
// on whole.

#include <cstdlib>
#include <optional>
#include <string>

#include "protocol/scgi/client_codec.hpp"
#include "protocol/scgi/codec.hpp"
#include "protocol/uwsgi/client_codec.hpp"
#include "protocol/uwsgi/codec.hpp"
#include "tests/fuzz/invariants.hpp"
#include "tests/fuzz/pieces.hpp"

namespace {

using namespace viaduct;
using protocol::Pairs;

constexpr protocol::Limits kLimits{
    .params = 32'768, .name = 32'768, .value = 32'768, .count = 4096, .requests = 1};

struct Read {
  std::optional<Pairs> params;
  std::string body;
};

Read read(protocol::ServerCodec& codec, std::string_view text) {
  Read result;
  protocol::Bytes bytes = protocol::as_bytes(text);
  while (!bytes.empty() && codec.error() == protocol::Errc::ok) {
    bytes = bytes.subspan(codec.feed(bytes));
    for (auto event = codec.next(); event.kind != protocol::Event::Kind::none;
         event = codec.next()) {
      if (event.kind == protocol::Event::Kind::request) result.params = event.head->params;
      if (event.kind == protocol::Event::Kind::body) result.body += protocol::as_text(event.bytes);
    }
  }
  return result;
}

std::string written(protocol::ClientCodec& codec, const Read& request) {
  codec.begin(1, protocol::Role::responder, false);
  codec.params(1, *request.params);
  codec.input(1, protocol::as_bytes(request.body));
  codec.input_end(1);
  return test::drain(codec.output());
}

// Those that the protocol adds or puts first are left out.
std::string listed(const Pairs& params) {
  std::string text;
  for (const auto& [name, value] : params) {
    if (name == "SCGI" || name == "CONTENT_LENGTH") continue;
    text.append(name).append("=").append(value).append("\n");
  }
  return text;
}

void expect_same(const Read& request, const Read& again) {
  if (!again.params || again.body != request.body) std::abort();
  if (listed(*request.params) != listed(*again.params)) std::abort();
}

void check_response(protocol::ClientCodec& codec, std::string_view text) {
  std::string passed_on;
  bool ended = false;
  const auto take = [&] {
    for (auto event = codec.next(); event.kind != protocol::ClientEvent::Kind::none;
         event = codec.next()) {
      if (event.kind == protocol::ClientEvent::Kind::output) {
        passed_on += protocol::as_text(event.bytes);
      }
      ended = ended || event.kind == protocol::ClientEvent::Kind::end;
    }
  };
  protocol::Bytes bytes = protocol::as_bytes(text);
  while (!bytes.empty()) {
    const std::size_t size = 1 + static_cast<unsigned char>(bytes[0]) % bytes.size();
    if (codec.feed(bytes.first(size)) != size) std::abort();
    take();
    bytes = bytes.subspan(size);
  }
  codec.finish();
  take();
  if (passed_on != text || ended == text.empty() || codec.error() != protocol::Errc::ok) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = test::input(data, size);
  protocol::uwsgi::ServerCodec front(kLimits);
  const Read request = read(front, text);
  if (!request.params) return 0;
  protocol::uwsgi::ClientCodec uwsgi;
  protocol::scgi::ClientCodec scgi;
  protocol::uwsgi::ServerCodec uwsgi_server(kLimits);
  protocol::scgi::ServerCodec scgi_server(kLimits);
  expect_same(request, read(uwsgi_server, written(uwsgi, request)));
  expect_same(request, read(scgi_server, written(scgi, request)));
  check_response(uwsgi, text);
  check_response(scgi, request.body);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  return test::mutate(test::kUwsgi, nullptr, data, size, max_size, seed);
}
