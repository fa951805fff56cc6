#include "protocol/fastcgi/record_writer.hpp"

#include <algorithm>
#include <cstring>

#include "protocol/pair_lengths.hpp"

namespace viaduct::protocol::fastcgi {
namespace {

std::uint8_t octet(std::uint32_t number, int shift) {
  return static_cast<std::uint8_t>(number >> shift);
}

}  // namespace

void RecordWriter::header(unsigned type, RequestId id, std::size_t content, std::uint8_t padding) {
  output_.copy(record_header(type, id, content, padding));
}

void RecordWriter::pad(std::uint8_t padding) {
  static constexpr std::array<std::byte, UINT8_MAX> kZeros{};
  if (padding != 0) output_.copy({kZeros.data(), padding});
}

void RecordWriter::remember(unsigned type, RequestId id, std::size_t content) {
  last_.type = type;
  last_.id = id;
  last_.content = content;
  last_.end = output_.appended();
}

// Puts the first bytes into the record written last; returns how many.
std::size_t RecordWriter::lengthen(Bytes bytes) {
  const std::size_t step = std::min(kPreferredContent - last_.content, bytes.size());
  if (step == 0 || output_.revise(last_.mark) == nullptr) return 0;
  const std::size_t content = last_.content + step;
  output_.drop_tail(padding_for(last_.content));
  const HeaderBytes header = record_header(last_.type, last_.id, content, padding_for(content));
  std::memcpy(output_.revise(last_.mark), header.data(), header.size());
  output_.refer(bytes.first(step));
  pad(padding_for(content));
  remember(last_.type, last_.id, content);
  return step;
}

void RecordWriter::stream(unsigned type, RequestId id, Bytes bytes) {
  if (last_.end == output_.appended() && last_.type == type && last_.id == id) {
    bytes = bytes.subspan(lengthen(bytes));
  }
  while (!bytes.empty()) {
    const std::size_t step = std::min(kPreferredContent, bytes.size());
    last_.mark = output_.mark();
    header(type, id, step, padding_for(step));
    output_.refer(bytes.first(step));
    pad(padding_for(step));
    remember(type, id, step);
    bytes = bytes.subspan(step);
  }
}

void RecordWriter::stream_end(unsigned type, RequestId id) {
  header(type, id, 0, 0);
}

void RecordWriter::fixed(unsigned type, RequestId id, std::array<std::uint8_t, kFixedBody> body) {
  header(type, id, body.size(), 0);
  output_.copy(std::as_bytes(std::span(body)));
}

void RecordWriter::begin(RequestId id, Role role, bool keep_connection) {
  const auto number = static_cast<std::uint32_t>(role);
  const std::uint8_t flags = keep_connection ? FCGI_KEEP_CONN : 0;
  fixed(FCGI_BEGIN_REQUEST, id, {octet(number, 8), octet(number, 0), flags});
}

void RecordWriter::abort(RequestId id) {
  header(FCGI_ABORT_REQUEST, id, 0, 0);
}

void RecordWriter::end(RequestId id, std::uint32_t app_status, ProtocolStatus status) {
  fixed(FCGI_END_REQUEST, id,
        {octet(app_status, 24), octet(app_status, 16), octet(app_status, 8), octet(app_status, 0),
         static_cast<std::uint8_t>(status)});
}

void RecordWriter::unknown_type(std::uint8_t type) {
  fixed(FCGI_UNKNOWN_TYPE, FCGI_NULL_REQUEST_ID, {type});
}

void RecordWriter::credit(RequestId id, std::uint32_t bytes) {
  constexpr std::size_t kContent = 4;
  header(kCredit, id, kContent, padding_for(kContent));
  const std::array<std::uint8_t, kContent> content{octet(bytes, 24), octet(bytes, 16),
                                                   octet(bytes, 8), octet(bytes, 0)};
  output_.copy(std::as_bytes(std::span(content)));
  pad(padding_for(kContent));
}

void RecordWriter::trace(RequestId id, std::string_view text) {
  text = text.substr(0, kMaxTrace);
  header(kTrace, id, text.size(), padding_for(text.size()));
  output_.copy(text);
  pad(padding_for(text.size()));
}

void RecordWriter::pairs(unsigned type, RequestId id, const Pairs& pairs) {
  const auto encoded = pairs.encoded();
  if (encoded && !encoded->empty() && encoded->size() <= kPreferredContent) {
    header(type, id, encoded->size(), padding_for(encoded->size()));
    output_.copy(*encoded);
    return pad(padding_for(encoded->size()));
  }
  std::size_t i = 0;
  while (i < pairs.size()) {
    const std::uint64_t first = encoded_size(pairs[i].name, pairs[i].value);
    if (first > kMaxContent) {
      split_pair(type, id, pairs[i++]);
      continue;
    }
    std::uint64_t content = first;
    std::size_t end = i + 1;
    for (; end < pairs.size(); ++end) {
      const std::uint64_t more = encoded_size(pairs[end].name, pairs[end].value);
      if (content + more > kPreferredContent) break;
      content += more;
    }
    const std::uint8_t padding = padding_for(content);
    header(type, id, content, padding);
    std::byte* to = output_.extend(content);
    for (; i < end; ++i) {
      const auto [name, value] = pairs[i];
      to += write_lengths(name, value, reinterpret_cast<char*>(to));
      std::memcpy(to, name.data(), name.size());
      std::memcpy(to + name.size(), value.data(), value.size());
      to += name.size() + value.size();
    }
    pad(padding);
  }
}

void RecordWriter::query(const Pairs& names) {
  const std::string_view content = names.encoded().value();
  // libfcgi answers only when it has seen a byte behind the content.
  const std::uint8_t padding = content.size() % 8 == 0 ? 8 : padding_for(content.size());
  header(FCGI_GET_VALUES, FCGI_NULL_REQUEST_ID, content.size(), padding);
  output_.copy(content);
  pad(padding);
}

void RecordWriter::split_pair(unsigned type, RequestId id, Pairs::Item pair) {
  std::array<char, 8> lengths{};
  const std::size_t size = write_lengths(pair.name, pair.value, lengths.data());
  // Lengthening joins these into full records.
  stream(type, id, as_bytes({lengths.data(), size}));
  stream(type, id, as_bytes(pair.name));
  stream(type, id, as_bytes(pair.value));
}

void RecordWriter::broken() {
  // HAProxy does not look at the version, and would take an empty FCGI_STDOUT for a good end.
  constexpr unsigned kNoType = 0;
  HeaderBytes bytes = record_header(kNoType, 1, 0);
  bytes[0] = std::byte{0};
  output_.copy(bytes);
}

}  // namespace viaduct::protocol::fastcgi
