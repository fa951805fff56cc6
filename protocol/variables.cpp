#include "protocol/variables.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "protocol/text.hpp"

namespace viaduct::protocol {
namespace {

constexpr std::size_t kFirstTable = 64;
constexpr std::size_t kKeptTable = 256;
constexpr std::size_t kUsualBytes = 1024;
constexpr std::size_t kKeptBytes = 4096;
constexpr std::size_t kUsualCount = 32;

// HTTP_PROXY would name the outgoing proxy to libraries that read the environment (httpoxy). A
// transfer coding is removed by the front (RFC 3875 section 4.2), so that the field would be
// untrue.
bool dropped(std::string_view name) {
  return name == "HTTP_PROXY" || name == "HTTP_TRANSFER_ENCODING";
}

// Which slot a name belongs to: its length and its ends tell CGI variables apart well enough, and a
// peer that sends names alike in these can make 1,024 of them at most.
std::size_t hash(std::string_view name) {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  const std::size_t step = std::min<std::size_t>(name.size(), sizeof(first));
  std::memcpy(&first, name.data(), step);
  std::memcpy(&last, name.data() + name.size() - step, step);
  std::uint64_t mixed = (first ^ (last << 7 | last >> 57)) + name.size();
  mixed *= 0x9e3779b97f4a7c15;
  return static_cast<std::size_t>(mixed >> 40);
}

bool contains(std::string_view text, char c) {
  return !text.empty() && std::memchr(text.data(), c, text.size()) != nullptr;
}

Errc read_content_length(const Pairs& params, std::optional<std::uint64_t>& length) {
  length.reset();
  const auto text = params.get("CONTENT_LENGTH");
  if (!text || text->empty() || *text == "-1") return Errc::ok;
  length = parse_decimal(*text);
  return length ? Errc::ok : Errc::bad_body_length;
}

}  // namespace

Errc Variables::admit(std::uint64_t name_size, std::uint64_t value_size) {
  if (name_size == 0) return Errc::bad_param_name;
  if (name_size > limits_.name) return Errc::param_name_too_long;
  if (value_size > limits_.value) return Errc::param_value_too_long;
  if (count_ >= limits_.count) return Errc::too_many_params;
  // Both lengths are within 32 bits here, so that the sum cannot wrap.
  if (bytes_ + name_size + value_size > limits_.params) return Errc::params_too_large;
  bytes_ += name_size + value_size;
  ++count_;
  return Errc::ok;
}

Errc Variables::add(std::string_view name, std::string_view value) {
  if (contains(name, '\0') || contains(name, '=')) return Errc::bad_param_name;
  if (contains(value, '\0')) return Errc::bad_param_value;
  if (dropped(name)) return Errc::ok;
  if (received_.empty()) {
    received_.reserve(std::min<std::uint64_t>(kUsualBytes, limits_.params),
                      std::min<std::size_t>(kUsualCount, limits_.count));
  }
  received_.add(name, value);
  const auto number = static_cast<std::uint32_t>(received_.size() - 1);
  if ((std::size_t{number} + 1) * 2 > table_.size()) {
    grow();
  } else {
    index(number);
  }
  return Errc::ok;
}

void Variables::index(std::uint32_t number) {
  const std::string_view name = received_[number].name;
  const std::size_t mask = table_.size() - 1;
  std::size_t at = hash(name) & mask;
  for (; table_[at] != 0; at = (at + 1) & mask) {
    const std::uint32_t first = table_[at] - 1;
    if (received_[first].name != name) continue;
    repeated_ = true;
    next_.resize(received_.size(), kNone);
    last_.resize(received_.size(), kNone);
    next_[last_[first] == kNone ? first : last_[first]] = number;
    last_[first] = number;
    return;
  }
  table_[at] = number + 1;
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
  if (table_.size() > kKeptTable) {
    table_ = {};
  } else {
    std::fill(table_.begin(), table_.end(), 0);
  }
}

}  // namespace viaduct::protocol
