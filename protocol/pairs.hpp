#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/memory.hpp"
#include "protocol/pair_lengths.hpp"

namespace viaduct::protocol {

/// An ordered list of name-value pairs in one contiguous store: CGI variables, or the fields of a
/// response head. Names may repeat; what a repetition means is the user's affair. Views that it
/// hands out are valid until the next change and must not be arguments of that change. Holds at
/// most 4 GiB (std::length_error), and 2 GiB in a name or value. Not thread-safe.
///
/// The store is a FastCGI name-value stream (3.4): variables that come in one and leave in one are
/// copied, not decoded and encoded.
class Pairs {
 public:
  struct Item {
    std::string_view name;
    std::string_view value;
  };

 private:
  struct Slot {
    std::uint32_t name;  // offsets into store_
    std::uint32_t name_size;
    std::uint32_t value;
    std::uint32_t value_size;

    [[nodiscard]] Item item(const char* store) const {
      return {{store + name, name_size}, {store + value, value_size}};
    }
    [[nodiscard]] std::uint32_t end() const { return value + value_size; }
  };

 public:
  /// Not while a stream is untaken.
  void add(std::string_view name, std::string_view value);

  /// Gives the first pair of that name the value, or adds one. Names compare byte by byte.
  void set(std::string_view name, std::string_view value);

  /// Removes every pair of that name; returns whether there was one.
  bool erase(std::string_view name);
  /// Removes every pair whose name begins so.
  void erase_prefixed(std::string_view prefix);

  /// Value of the first pair of that name, compared byte by byte.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;

  /// Like get(), ASCII letters compared without case (header fields).
  [[nodiscard]] std::optional<std::string_view> find_nocase(std::string_view name) const;

  /// Where a character occurs: in a name (and values perhaps), in values only, or nowhere.
  enum class Place : std::uint8_t { nowhere, value, name };
  [[nodiscard]] Place find(char c) const;

  /// The pairs as a name-value stream; absent when something was erased or replaced by something
  /// of another length.
  [[nodiscard]] std::optional<std::string_view> encoded() const;

  /// Appends bytes of a name-value stream, which become pairs by `take`.
  void append_stream(std::string_view bytes);
  /// What was appended and not taken.
  [[nodiscard]] std::string_view untaken() const {
    return {store_.data() + taken_, store_.size() - taken_};
  }
  /// The name of the next pair, which must be complete.
  [[nodiscard]] std::string_view untaken_name(const PairLengths& lengths) const {
    return {store_.data() + taken_ + lengths.size, static_cast<std::size_t>(lengths.name)};
  }
  /// Adds the next pair, which must be complete.
  void take(const PairLengths& lengths) {
    const auto name = static_cast<std::uint32_t>(taken_ + lengths.size);
    const auto name_size = static_cast<std::uint32_t>(lengths.name);
    const Slot slot{name, name_size, name + name_size, static_cast<std::uint32_t>(lengths.value)};
    slots_.push_back(slot);
    bytes_ += lengths.name + lengths.value;
    taken_ += lengths.total();
  }
  /// Leaves the next pair out, which must be complete. The first few are taken out of the stream,
  /// so that it remains what encoded() gives.
  void skip(const PairLengths& lengths);

  [[nodiscard]] std::size_t size() const { return slots_.size(); }
  [[nodiscard]] bool empty() const { return slots_.empty(); }
  [[nodiscard]] Item operator[](std::size_t index) const {
    return slots_[index].item(store_.data());
  }

  /// Sum of the lengths of names and values.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// Bytes of memory that it holds.
  [[nodiscard]] std::size_t memory() const { return memory_of(store_) + memory_of(slots_); }

  /// Makes room for `bytes` of names, values and their lengths, and for `count` pairs.
  void reserve(std::size_t bytes, std::size_t count);

  /// Forgets the pairs, keeps the memory.
  void clear();
  /// What is usual for one request is kept for the next, more than that is not worth it.
  static constexpr std::size_t kWorthKeeping = 6 * 1024;

  class Iterator {
   public:
    Item operator*() const { return slot_->item(store_); }
    Iterator& operator++() {
      ++slot_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    friend class Pairs;
    Iterator(const char* store, const Slot* slot) : store_(store), slot_(slot) {}

    const char* store_;
    const Slot* slot_;
  };
  [[nodiscard]] Iterator begin() const { return {store_.data(), slots_.data()}; }
  [[nodiscard]] Iterator end() const { return {store_.data(), slots_.data() + slots_.size()}; }

 private:
  template <class Predicate>
  std::size_t erase_slots(Predicate predicate);
  [[nodiscard]] const Slot* find_slot(std::string_view name) const;
  std::uint32_t append(std::string_view text);
  [[nodiscard]] Place find_by_item(char c) const;

  std::string store_;
  std::vector<Slot> slots_;
  std::size_t taken_ = 0;  // of store_
  std::uint64_t bytes_ = 0;
  bool exact_ = true;  // what was taken of store_ is the pairs, and nothing else
  std::uint32_t skipped_ = 0;
};

}  // namespace viaduct::protocol
