#include "protocol/pairs.hpp"

#include <array>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "protocol/text.hpp"

namespace viaduct::protocol {

namespace {

// Each moves the rest of the stream, of which a peer decides.
constexpr std::uint32_t kTakenOut = 2;

}  // namespace

std::uint32_t Pairs::append(std::string_view text) {
  const std::size_t at = store_.size();
  if (text.size() > std::numeric_limits<std::uint32_t>::max() - at) {
    throw std::length_error("viaduct::protocol::Pairs holds 4 GiB at most");
  }
  store_.append(text);
  return static_cast<std::uint32_t>(at);
}

void Pairs::add(std::string_view name, std::string_view value) {
  std::array<char, 8> lengths{};
  const std::size_t size = write_lengths(name, value, lengths.data());
  append({lengths.data(), size});
  append(name);
  append(value);
  take({name.size(), value.size(), size});
}

void Pairs::append_stream(std::string_view bytes) {
  append(bytes);
}

void Pairs::skip(const PairLengths& lengths) {
  if (skipped_ < kTakenOut) {
    ++skipped_;
    store_.erase(taken_, lengths.total());
  } else {
    taken_ += lengths.total();
    exact_ = false;
  }
}

const Pairs::Slot* Pairs::find_slot(std::string_view name) const {
  for (const Slot& slot : slots_) {
    if (slot.name_size != name.size()) continue;
    if (std::memcmp(store_.data() + slot.name, name.data(), name.size()) == 0) return &slot;
  }
  return nullptr;
}

void Pairs::set(std::string_view name, std::string_view value) {
  const Slot* const found = find_slot(name);
  if (found == nullptr) return add(name, value);
  Slot& slot = slots_[static_cast<std::size_t>(found - slots_.data())];
  if (value.size() != slot.value_size) exact_ = false;
  if (value.size() <= slot.value_size) {
    store_.replace(slot.value, value.size(), value);
  } else {
    slot.value = append(value);
    taken_ = store_.size();
  }
  bytes_ += value.size();
  bytes_ -= slot.value_size;
  slot.value_size = static_cast<std::uint32_t>(value.size());
}

template <class Predicate>
std::size_t Pairs::erase_slots(Predicate predicate) {
  const std::size_t erased = std::erase_if(slots_, [&](const Slot& slot) {
    if (!predicate(std::string_view(store_.data() + slot.name, slot.name_size))) return false;
    bytes_ -= std::uint64_t{slot.name_size} + slot.value_size;
    return true;
  });
  if (erased > 0) exact_ = false;
  return erased;
}

bool Pairs::erase(std::string_view name) {
  return erase_slots([name](std::string_view other) { return other == name; }) > 0;
}

void Pairs::erase_prefixed(std::string_view prefix) {
  erase_slots([prefix, first = prefix.front()](std::string_view name) {
    return !name.empty() && name.front() == first && name.starts_with(prefix);
  });
}

std::optional<std::string_view> Pairs::get(std::string_view name) const {
  const Slot* const slot = find_slot(name);
  if (slot == nullptr) return std::nullopt;
  return std::string_view(store_.data() + slot->value, slot->value_size);
}

std::optional<std::string_view> Pairs::find_nocase(std::string_view name) const {
  for (const Item item : *this) {
    if (equal_nocase(item.name, name)) return item.value;
  }
  return std::nullopt;
}

Pairs::Place Pairs::find(char c) const {
  if (!exact_) return find_by_item(c);
  // Few lengths look like the character, so that searching the store beats searching every item.
  Place place = Place::nowhere;
  auto slot = slots_.begin();
  for (std::size_t at = store_.find(c); at < taken_; at = store_.find(c, at)) {
    while (slot->end() <= at) ++slot;
    if (at < slot->name) {
      ++at;
    } else if (at < slot->value) {
      return Place::name;
    } else {
      place = Place::value;
      at = slot->end();
    }
  }
  return place;
}

Pairs::Place Pairs::find_by_item(char c) const {
  Place place = Place::nowhere;
  for (const auto [name, value] : *this) {
    if (name.find(c) != name.npos) return Place::name;
    if (value.find(c) != value.npos) place = Place::value;
  }
  return place;
}

std::optional<std::string_view> Pairs::encoded() const {
  if (!exact_) return std::nullopt;
  return std::string_view(store_).substr(0, taken_);
}

void Pairs::reserve(std::size_t bytes, std::size_t count) {
  store_.reserve(bytes);
  slots_.reserve(count);
}

void Pairs::clear() {
  store_.clear();
  slots_.clear();
  taken_ = 0;
  bytes_ = 0;
  exact_ = true;
  skipped_ = 0;
}

}  // namespace viaduct::protocol
