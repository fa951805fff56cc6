#include "protocol/pairs.hpp"

#include <limits>
#include <stdexcept>

#include "protocol/text.hpp"

namespace viaduct::protocol {

std::uint32_t Pairs::append(std::string_view text) {
  const std::size_t at = store_.size();
  if (text.size() > std::numeric_limits<std::uint32_t>::max() - at) {
    throw std::length_error("viaduct::protocol::Pairs holds 4 GiB at most");
  }
  store_.append(text);
  return static_cast<std::uint32_t>(at);
}

void Pairs::add(std::string_view name, std::string_view value) {
  // On the wire a value often stands right behind its name.
  const bool adjacent = name.data() + name.size() == value.data();
  const std::uint32_t at =
      append(adjacent ? std::string_view(name.data(), name.size() + value.size()) : name);
  if (!adjacent) append(value);
  const auto name_size = static_cast<std::uint32_t>(name.size());
  slots_.push_back({at, name_size, at + name_size, static_cast<std::uint32_t>(value.size())});
  bytes_ += name.size() + value.size();
}

void Pairs::set(std::string_view name, std::string_view value) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if ((*this)[i].name != name) continue;
    Slot& slot = slots_[i];
    if (value.size() <= slot.value_size) {
      store_.replace(slot.value, value.size(), value);
    } else {
      slot.value = append(value);
    }
    bytes_ += value.size();
    bytes_ -= slot.value_size;
    slot.value_size = static_cast<std::uint32_t>(value.size());
    return;
  }
  add(name, value);
}

bool Pairs::erase(std::string_view name) {
  return std::erase_if(slots_, [&](const Slot& slot) {
           if (std::string_view(store_.data() + slot.name, slot.name_size) != name) return false;
           bytes_ -= std::uint64_t{slot.name_size} + slot.value_size;
           return true;
         }) != 0;
}

std::optional<std::string_view> Pairs::get(std::string_view name) const {
  for (const Item item : *this) {
    if (item.name == name) return item.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> Pairs::find_nocase(std::string_view name) const {
  for (const Item item : *this) {
    if (equal_nocase(item.name, name)) return item.value;
  }
  return std::nullopt;
}

void Pairs::reserve(std::size_t bytes, std::size_t count) {
  store_.reserve(bytes);
  slots_.reserve(count);
}

void Pairs::clear() {
  store_.clear();
  slots_.clear();
  bytes_ = 0;
}

}  // namespace viaduct::protocol
