#include "protocol/variables.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "protocol/text.hpp"

namespace viaduct::protocol {
namespace {

constexpr std::uint32_t kFiltered = 64;  // pairs that are told apart without a table
constexpr std::size_t kFirstTable = 256;
constexpr std::size_t kUsualBytes = 1024;
constexpr std::size_t kKeptBytes = 4096;
constexpr std::size_t kUsualCount = 32;

// HTTP_PROXY would name the outgoing proxy to libraries that read the environment (httpoxy). A
// transfer coding is removed by the front (RFC 3875 section 4.2), so that the field would be
// untrue.
bool dropped(std::string_view name) {
  return name == "HTTP_PROXY" || name == "HTTP_TRANSFER_ENCODING";
}

// Eight bytes at once: whether one of them is zero.
bool has_zero(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  return ((word - kOnes) & ~word & (kOnes << 7)) != 0;
}

std::uint64_t load(const char* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

struct NameScan {
  bool invalid = false;    // NUL or '=' in it (FastCGI 6.1)
  std::uint64_t hash = 0;  // its upper bits are the better ones
};

// One pass for both, since this is done for every variable of every request. A peer can make names
// that collide; it can make Limits::count of them at most.
NameScan scan(std::string_view name) {
  constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15;
  constexpr std::uint64_t kEquals = 0x3d3d3d3d3d3d3d3d;
  NameScan result{.hash = name.size()};
  const auto take = [&result](std::uint64_t word) {
    result.invalid = result.invalid || has_zero(word) || has_zero(word ^ kEquals);
    result.hash = (result.hash ^ word) * kMix;
    result.hash ^= result.hash >> 32;
  };
  if (name.size() < sizeof(std::uint64_t)) {
    for (const char c : name) {
      result.invalid = result.invalid || c == '\0' || c == '=';
      result.hash = (result.hash ^ static_cast<unsigned char>(c)) * kMix;
    }
  } else {
    for (std::size_t at = 0; at + 8 < name.size(); at += 8) take(load(name.data() + at));
    take(load(name.data() + name.size() - 8));
  }
  result.hash *= kMix;
  return result;
}

Errc read_content_length(const Pairs& params, std::optional<std::uint64_t>& length) {
  length.reset();
  const auto text = params.get("CONTENT_LENGTH");
  if (!text || text->empty() || *text == "-1") return Errc::ok;
  length = parse_decimal(*text);
  return length ? Errc::ok : Errc::bad_body_length;
}

}  // namespace

Errc Variables::add(std::string_view name, std::string_view value) {
  const NameScan scanned = scan(name);
  if (scanned.invalid) return Errc::bad_param_name;
  if (dropped(name)) return Errc::ok;
  if (received_.empty()) reserve(0);
  received_.add(name, value);
  note(scanned.hash);
  return Errc::ok;
}

void Variables::append_stream(std::string_view bytes) {
  if (received_.capacity() < kUsualBytes) reserve(bytes.size());
  received_.append_stream(bytes);
}

Errc Variables::take(const PairLengths& lengths) {
  const std::string_view name = received_.untaken_name(lengths);
  const NameScan scanned = scan(name);
  if (scanned.invalid) return Errc::bad_param_name;
  if (dropped(name)) {
    received_.skip(lengths);
    return Errc::ok;
  }
  received_.take(lengths);
  note(scanned.hash);
  return Errc::ok;
}

void Variables::reserve(std::size_t bytes) {
  received_.reserve(std::max(bytes, std::min<std::uint64_t>(kUsualBytes, limits_.params)),
                    std::min<std::size_t>(kUsualCount, limits_.count));
}

// Looks whether the last variable repeats another.
void Variables::note(std::uint64_t hash) {
  const auto number = static_cast<std::uint32_t>(received_.size() - 1);
  if (number < kFiltered) {
    filter(number, hash);
  } else if ((std::size_t{number} + 1) * 2 > table_.size()) {
    grow();
  } else {
    index(number);
  }
}

// Most names have a bit of their own, and then there is nothing to compare with.
void Variables::filter(std::uint32_t number, std::uint64_t hash) {
  std::uint64_t& word = seen_[hash >> 60];
  const std::uint64_t bit = std::uint64_t{1} << (hash >> 54 & 63);
  if ((std::exchange(word, word | bit) & bit) == 0) return;
  const std::string_view name = received_[number].name;
  for (std::uint32_t first = 0; first < number; ++first) {
    if (received_[first].name == name) return link(first, number);
  }
}

void Variables::index(std::uint32_t number) {
  const std::string_view name = received_[number].name;
  const std::size_t mask = table_.size() - 1;
  std::size_t at = scan(name).hash >> 40 & mask;
  for (; table_[at] != 0; at = (at + 1) & mask) {
    const std::uint32_t first = table_[at] - 1;
    if (received_[first].name == name) return link(first, number);
  }
  table_[at] = number + 1;
}

void Variables::link(std::uint32_t first, std::uint32_t number) {
  repeated_ = true;
  next_.resize(received_.size(), kNone);
  last_.resize(received_.size(), kNone);
  next_[last_[first] == kNone ? first : last_[first]] = number;
  last_[first] = number;
}

void Variables::grow() {
  table_.assign(std::max(kFirstTable, table_.size() * 2), 0);
  next_.clear();
  last_.clear();
  for (std::uint32_t i = 0; i < received_.size(); ++i) index(i);
}

void Variables::merge(std::uint32_t first, Pairs& into, std::string& scratch) const {
  const std::string_view name = received_[first].name;
  if (!name.starts_with("HTTP_")) {
    into.add(name, received_[last_[first]].value);
    return;
  }
  const std::string_view separator = name == "HTTP_COOKIE" ? "; " : ", ";
  scratch.assign(received_[first].value);
  for (std::uint32_t i = next_[first]; i != kNone; i = next_[i]) {
    scratch.append(separator).append(received_[i].value);
  }
  into.add(name, scratch);
}

Errc Variables::finish(RequestHead& head) {
  // Names have been looked at one by one; all values are looked at together.
  if (received_.contains('\0')) return Errc::bad_param_value;
  if (!repeated_) {
    // The owner's spent store comes back and serves the next request.
    std::swap(head.params, received_);
    return read_content_length(head.params, head.content_length);
  }
  next_.resize(received_.size(), kNone);
  last_.resize(received_.size(), kNone);
  std::vector<bool> merged(received_.size(), false);
  Pairs params;
  std::string scratch;
  for (std::uint32_t i = 0; i < received_.size(); ++i) {
    if (merged[i]) continue;
    const auto [name, value] = received_[i];
    for (std::uint32_t k = next_[i]; k != kNone; k = next_[k]) {
      merged[k] = true;
      if (name == "CONTENT_LENGTH" && received_[k].value != value) return Errc::bad_body_length;
    }
    if (next_[i] == kNone) {
      params.add(name, value);
    } else {
      merge(i, params, scratch);
    }
  }
  head.params = std::move(params);
  return read_content_length(head.params, head.content_length);
}

std::size_t Variables::occurrences(std::string_view name) const {
  std::size_t found = 0;
  for (const Pairs::Item item : received_) found += item.name == name ? 1 : 0;
  return found;
}

void Variables::reset() {
  if (received_.capacity() > kKeptBytes) received_ = Pairs{};
  received_.clear();
  bytes_ = 0;
  count_ = 0;
  repeated_ = false;
  next_ = {};
  last_ = {};
  seen_ = {};
  table_ = {};
}

}  // namespace viaduct::protocol
