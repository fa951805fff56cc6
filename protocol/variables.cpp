#include "protocol/variables.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "protocol/keyed_hash.hpp"
#include "protocol/text.hpp"

namespace viaduct::protocol {
namespace {

constexpr std::size_t kFirstTable = 256;
constexpr std::size_t kUsualBytes = 1024;
constexpr std::size_t kUsualCount = 32;

Errc read_content_length(Pairs& params, std::optional<std::uint64_t>& length) {
  length.reset();
  const auto text = params.get("CONTENT_LENGTH");
  if (!text || text->empty()) return Errc::ok;
  if (*text == "-1") {
    // It is no length (RFC 3875 section 4.1.2), and php-cgi reads for ever to reach it.
    params.erase("CONTENT_LENGTH");
    return Errc::ok;
  }
  length = parse_decimal(*text);
  return length ? Errc::ok : Errc::bad_body_length;
}

}  // namespace

Errc Variables::refusal(std::uint64_t name_size, std::uint64_t value_size) const {
  if (name_size == 0) return Errc::bad_param_name;
  if (name_size > limits_.name) return Errc::param_name_too_long;
  if (value_size > limits_.value) return Errc::param_value_too_long;
  return count_ >= limits_.count ? Errc::too_many_params : Errc::params_too_large;
}

void Variables::add(std::string_view name, std::string_view value) {
  if (dropped(name)) return note_dropped(name);
  if (received_.empty()) reserve(0);
  received_.add(name, value);
  note(received_[received_.size() - 1].name);
}

void Variables::append_stream(std::string_view bytes) {
  if (received_.memory() < kUsualBytes) reserve(bytes.size());
  received_.append_stream(bytes);
}

void Variables::reserve(std::size_t bytes) {
  received_.reserve(std::max(bytes, std::min<std::uint64_t>(kUsualBytes, limits_.params)),
                    std::min<std::size_t>(kUsualCount, limits_.count));
}

void Variables::compare(std::uint32_t number) {
  const std::string_view name = received_[number].name;
  for (std::uint32_t first = 0; first < number; ++first) {
    if (received_[first].name == name) return link(first, number);
  }
}

void Variables::index_last(std::uint32_t number) {
  if ((std::size_t{number} + 1) * 2 > table_.size()) {
    grow();
  } else {
    index(number);
  }
}

void Variables::index(std::uint32_t number) {
  const std::string_view name = received_[number].name;
  const std::size_t mask = table_.size() - 1;
  std::size_t at = keyed_hash(name, process_hash_key()) & mask;
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
  head.transfer_coded = transfer_coded_;
  const Pairs::Place nul = received_.find('\0');
  if (nul == Pairs::Place::name || received_.find('=') == Pairs::Place::name) {
    return Errc::bad_param_name;
  }
  if (nul == Pairs::Place::value) return Errc::bad_param_value;
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
  if (received_.memory() > Pairs::kWorthKeeping) give_back(received_);
  received_.clear();
  bytes_ = 0;
  count_ = 0;
  repeated_ = false;
  transfer_coded_ = false;
  seen_ = {};
  if (next_.empty() && table_.empty()) return;
  give_back(next_);
  give_back(last_);
  give_back(table_);
}

}  // namespace viaduct::protocol
