#include "protocol/proxy_header.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>

#include "protocol/memory.hpp"
#include "protocol/text.hpp"

namespace viaduct::protocol {
namespace {

constexpr std::string_view kLine = "PROXY ";
constexpr std::string_view kBinary("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kMaxLine = 107;     // with CRLF
constexpr std::size_t kBinaryStart = 16;  // signature, command, family, length

enum Family : unsigned char { kTcp4 = 0x11, kTcp6 = 0x21 };
enum Command : unsigned char { kLocal = 0x20, kProxy = 0x21 };  // with the version

bool is_address(int family, const std::string& text) {
  // inet_pton() would not see what stands behind it.
  if (text.find('\0') != std::string::npos) return false;
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(family, text.c_str(), bytes.data()) == 1;
}

bool is_port(std::string_view text) {
  const auto number = parse_decimal(text);
  return number && *number <= 65535 && text.size() <= 5;
}

// The next word of the line, which one space ends.
std::string take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  std::string word(line.substr(0, end));
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::string address_text(int family, std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, bytes.data(), text.data(), text.size());
  return text.data();
}

unsigned number(std::string_view bytes) {
  return static_cast<unsigned>(static_cast<unsigned char>(bytes[0])) << 8 |
         static_cast<unsigned char>(bytes[1]);
}

std::optional<ProxyHeader> parse_line(std::string_view line) {
  line.remove_prefix(kLine.size());
  const std::string kind = take_word(line);
  if (kind == "UNKNOWN") return ProxyHeader{};
  if (kind != "TCP4" && kind != "TCP6") return std::nullopt;
  const int family = kind == "TCP4" ? AF_INET : AF_INET6;
  ProxyHeader header;
  header.source = take_word(line);
  header.destination = take_word(line);
  header.source_port = take_word(line);
  header.destination_port = line;
  if (!is_address(family, header.source) || !is_address(family, header.destination) ||
      !is_port(header.source_port) || !is_port(header.destination_port)) {
    return std::nullopt;
  }
  return header;
}

std::optional<ProxyHeader> parse_addresses(unsigned char family, std::string_view rest) {
  if (family != kTcp4 && family != kTcp6) return ProxyHeader{};
  const std::size_t size = family == kTcp4 ? 4 : 16;
  if (rest.size() < 2 * size + 4) return std::nullopt;
  const int af = family == kTcp4 ? AF_INET : AF_INET6;
  return ProxyHeader{.source = address_text(af, rest.substr(0, size)),
                     .source_port = std::to_string(number(rest.substr(2 * size))),
                     .destination = address_text(af, rest.substr(size, size)),
                     .destination_port = std::to_string(number(rest.substr(2 * size + 2)))};
}

bool begins_alike(std::string_view text, std::string_view signature) {
  const std::size_t size = std::min(text.size(), signature.size());
  return text.substr(0, size) == signature.substr(0, size);
}

}  // namespace

std::size_t ProxyHeaderReader::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (state_ == State::reading && taken < bytes.size()) {
    text_.push_back(bytes[taken++]);
    if (begins_alike(text_, kLine)) {
      take_line();
    } else if (begins_alike(text_, kBinary)) {
      take_binary();
    } else {
      state_ = State::absent;
    }
  }
  return taken;
}

std::size_t ProxyHeaderReader::memory() const {
  return memory_of(text_) + memory_of(header_.source) + memory_of(header_.source_port) +
         memory_of(header_.destination) + memory_of(header_.destination_port);
}

void ProxyHeaderReader::take_line() {
  if (text_.ends_with("\r\n")) {
    const auto header = parse_line(std::string_view(text_).substr(0, text_.size() - 2));
    state_ = header ? State::done : State::bad;
    if (header) header_ = *header;
  } else if (text_.size() >= kMaxLine) {
    state_ = State::bad;
  }
}

void ProxyHeaderReader::take_binary() {
  if (text_.size() < kBinaryStart) return;
  const std::string_view text = text_;
  const std::size_t size = kBinaryStart + number(text.substr(14));
  const auto command = static_cast<unsigned char>(text[12]);
  if (size > kMaxSize || (command != kLocal && command != kProxy)) {
    state_ = State::bad;
  } else if (text.size() == size) {
    const auto header = command == kLocal ? ProxyHeader{.local = true}
                                          : parse_addresses(static_cast<unsigned char>(text[13]),
                                                            text.substr(kBinaryStart));
    state_ = header ? State::done : State::bad;
    if (header) header_ = *header;
  }
}

}  // namespace viaduct::protocol
