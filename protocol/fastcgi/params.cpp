#include "protocol/fastcgi/params.hpp"

#include <algorithm>

namespace viaduct::protocol::fastcgi {
namespace {

constexpr std::size_t kKeptPartial = 4096;

struct Lengths {
  std::uint64_t name = 0;
  std::uint64_t value = 0;
  std::size_t header = 0;  // bytes of the two lengths; 0: incomplete
};

// Reads one length; 0 bytes taken when it is incomplete.
std::size_t read_length(std::string_view text, std::uint64_t& length) {
  if (text.empty()) return 0;
  const auto at = [text](std::size_t i) {
    return std::uint64_t{static_cast<unsigned char>(text[i])};
  };
  if ((at(0) & 0x80) == 0) {
    length = at(0);
    return 1;
  }
  if (text.size() < 4) return 0;
  length = (at(0) & 0x7f) << 24 | at(1) << 16 | at(2) << 8 | at(3);
  return 4;
}

Lengths read_lengths(std::string_view text) {
  Lengths lengths;
  const std::size_t name = read_length(text, lengths.name);
  if (name == 0) return lengths;
  const std::size_t value = read_length(text.substr(name), lengths.value);
  if (value != 0) lengths.header = name + value;
  return lengths;
}

std::size_t write_length(std::size_t length, std::byte* to) {
  if (length < 0x80) {
    to[0] = static_cast<std::byte>(length);
    return 1;
  }
  to[0] = static_cast<std::byte>(length >> 24 | 0x80);
  to[1] = static_cast<std::byte>(length >> 16);
  to[2] = static_cast<std::byte>(length >> 8);
  to[3] = static_cast<std::byte>(length);
  return 4;
}

}  // namespace

// Takes one whole pair from the front of `text`, or nothing while it is incomplete.
Errc ParamsReader::take(std::string_view& text, bool admitted) {
  const Lengths lengths = read_lengths(text);
  if (lengths.header == 0) {
    wanted_ = 0;
    return Errc::ok;
  }
  if (!admitted) {
    const Errc error = variables_.admit(lengths.name, lengths.value);
    if (error != Errc::ok) return error;
    admitted_ = true;
  }
  wanted_ = lengths.header + lengths.name + lengths.value;
  if (text.size() < wanted_) return Errc::ok;
  const Errc error = variables_.add(text.substr(lengths.header, lengths.name),
                                    text.substr(lengths.header + lengths.name, lengths.value));
  text.remove_prefix(wanted_);
  admitted_ = false;
  return error;
}

Errc ParamsReader::feed(Bytes bytes) {
  std::string_view text = as_text(bytes);
  while (!partial_.empty() && !text.empty()) {
    // Until the lengths are known, one byte at a time: there are at most eight of them.
    const std::size_t missing = admitted_ ? wanted_ - partial_.size() : 1;
    const std::size_t step = std::min(missing, text.size());
    partial_.append(text.substr(0, step));
    text.remove_prefix(step);
    std::string_view pair = partial_;
    const Errc error = take(pair, admitted_);
    if (error != Errc::ok) return error;
    if (pair.empty()) partial_.clear();
  }
  while (!text.empty()) {
    const std::size_t before = text.size();
    const Errc error = take(text, false);
    if (error != Errc::ok) return error;
    if (text.size() == before) break;
  }
  if (!text.empty()) partial_.assign(text);
  return Errc::ok;
}

Errc ParamsReader::finish(RequestHead& head) {
  if (within_pair()) return Errc::bad_params;
  return variables_.finish(head);
}

void ParamsReader::reset() {
  variables_.reset();
  if (partial_.capacity() > kKeptPartial) {
    partial_ = {};
  } else {
    partial_.clear();
  }
  admitted_ = false;
  wanted_ = 0;
}

std::uint64_t encoded_size(std::string_view name, std::string_view value) {
  return (name.size() < 0x80 ? 1u : 4u) + (value.size() < 0x80 ? 1u : 4u) +
         std::uint64_t{name.size()} + value.size();
}

std::size_t write_lengths(std::string_view name, std::string_view value, std::byte* to) {
  const std::size_t first = write_length(name.size(), to);
  return first + write_length(value.size(), to + first);
}

}  // namespace viaduct::protocol::fastcgi
