// The header with which a proxy begins a connection, to its reader; the same bytes also as the
// addresses of a binary one.

#include <arpa/inet.h>

#include <array>

#include "protocol/proxy_header.hpp"
#include "tests/fuzz/invariants.hpp"
#include "tests/fuzz/lines.hpp"

namespace {

using namespace viaduct;
using protocol::ProxyHeader;
using protocol::ProxyHeaderReader;
using State = ProxyHeaderReader::State;
using test::require;

// A proxy's own connection.
const ProxyHeader kOwn{.local = true};

struct Reading {
  State state = State::reading;
  std::size_t taken = 0;
  ProxyHeader header;
};

Reading read(const std::vector<std::string_view>& pieces) {
  ProxyHeaderReader reader;
  Reading reading;
  for (const std::string_view piece : pieces) {
    const std::size_t taken = reader.feed(piece);
    reading.taken += taken;
    require(taken <= piece.size(), "more is taken than there is");
    require(taken == piece.size() || reader.state() != State::reading, "bytes are left unread");
  }
  require(reader.text().size() == reading.taken, "what was taken is not kept");
  require(reading.taken <= ProxyHeaderReader::kMaxSize, "a header is larger than one may be");
  reading.state = reader.state();
  reading.header = reader.header();
  require(reading.state == State::done || reading.header == ProxyHeader{},
          "something is said before it is understood");
  return reading;
}

int family_of(const std::string& address) {
  std::array<unsigned char, 16> bytes{};
  if (address.find('\0') != std::string::npos) return AF_UNSPEC;
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, address.c_str(), bytes.data()) == 1) return family;
  }
  return AF_UNSPEC;
}

bool is_port(const std::string& text) {
  return test::decimal(text).value_or(65536) <= 65535;
}

void check_header(const ProxyHeader& header) {
  if (header == ProxyHeader{} || header == kOwn) return;
  const int family = family_of(header.source);
  require(family != AF_UNSPEC, "the client's address is none");
  require(family == family_of(header.destination), "the two ends are of two families");
  require(is_port(header.source_port) && is_port(header.destination_port), "a port is none");
  const std::string line = std::string("PROXY ") + (family == AF_INET ? "TCP4 " : "TCP6 ") +
                           header.source + " " + header.destination + " " + header.source_port +
                           " " + header.destination_port + "\r\n";
  const Reading again = read({line + "GET"});
  require(again.state == State::done && again.taken == line.size() && again.header == header,
          "what was understood does not mean itself");
}

std::string binary(char command, char family, std::string_view content) {
  std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
  header += {command, family, static_cast<char>(content.size() >> 8),
             static_cast<char>(content.size() & 0xff)};
  return header.append(content);
}

// Whatever stands behind the addresses, the header ends where it says.
void check_binary(std::string_view content) {
  constexpr std::size_t kMost = ProxyHeaderReader::kMaxSize - 16;
  content = content.substr(0, kMost);
  for (const auto& [family, least] : {std::pair<char, std::size_t>{0x11, 12}, {0x21, 36}}) {
    const std::string bytes = binary(0x21, family, content);
    const Reading reading = read({bytes + "GET"});
    require(reading.taken == bytes.size(), "a header ends where it does not say");
    require(reading.state == (content.size() < least ? State::bad : State::done),
            "addresses are understood that are not there");
    require(reading.state != State::done || !reading.header.source.empty(), "nothing is said");
    check_header(reading.header);
    const Reading local = read({binary(0x20, family, content)});
    require(local.state == State::done && local.header == kOwn,
            "a proxy's own connection has a client");
  }
  require(read({binary(0x21, 0x11, std::string(kMost + 1, 'x'))}).state == State::bad,
          "a header is larger than one may be");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = test::input(data, size);
  test::check_independent_of_cuts(bytes, [](const std::vector<std::string_view>& pieces) {
    const auto [state, taken, header] = read(pieces);
    check_header(header);
    return std::to_string(static_cast<int>(state)) + " " + std::to_string(taken) + " " +
           header.source + " " + header.source_port + " " + header.destination + " " +
           header.destination_port + (header.local ? " own" : "");
  });
  check_binary(bytes);
  return 0;
}
