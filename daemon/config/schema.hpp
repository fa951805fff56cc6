// Tables of keys: each names a key of a YAML map once and says how it is read into a struct and
// how it is printed again. Reading reports everything that is wrong and goes on.
//
//   Keys<Timeouts> keys = {key("start", &Timeouts::start, duration()), ...};
//   read_map(context, node, "apps.shop.timeouts", app.timeouts, keys);
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/config/dump_writer.hpp"
#include "daemon/config/value_types.hpp"

namespace viaduct::daemon::config {

template <class S>
struct Key {
  std::string_view name;
  std::function<void(Reading&, const Node&, const std::string& path, S&)> read;
  std::function<void(DumpWriter&, const S&, const std::string& path)> print;
};

template <class S>
using Keys = std::vector<Key<S>>;

// "apps.shop" and "workers" make "apps.shop.workers"; an empty parent adds no dot.
std::string join(const std::string& parent, std::string_view key);

namespace detail {
// Whether the node can be read as a map; null counts as an empty one. Reports otherwise, and also
// what every map is checked for: duplicate keys, and `<<`.
bool check_map(Reading& reading, const Node& node, const std::string& path);
void unknown_key(Reading& reading, const Entry& entry, const std::string& path,
                 const std::vector<std::string_view>& known);
}  // namespace detail

template <class S>
void read_map(Reading& reading, const Node& node, const std::string& path, S& into,
              const Keys<S>& keys) {
  if (!detail::check_map(reading, node, path)) return;
  for (const Entry& entry : node.entries) {
    if (entry.key == "<<") continue;
    const std::string entry_path = join(path, entry.key);
    const auto known = std::find_if(keys.begin(), keys.end(),
                                    [&](const auto& key) { return key.name == entry.key; });
    if (known == keys.end()) {
      std::vector<std::string_view> names;
      for (const auto& key : keys) names.push_back(key.name);
      detail::unknown_key(reading, entry, entry_path, names);
      continue;
    }
    reading.origins[entry_path] = entry.value->origin;
    known->read(reading, *entry.value, entry_path, into);
  }
}

template <class S>
void print_map(DumpWriter& dump, const S& from, const std::string& path, const Keys<S>& keys) {
  for (const auto& key : keys)
    if (key.print) key.print(dump, from, join(path, key.name));
}

// One value.
template <class S, class T>
Key<S> key(std::string_view name, T S::*member, ValueType<T> type) {
  return {name,
          [=](Reading& reading, const Node& node, const std::string& path, S& into) {
            if (auto value = type.read(reading, node, path)) into.*member = std::move(*value);
          },
          [=](DumpWriter& dump, const S& from, const std::string& path) {
            dump.value(name, type.print(from.*member), path);
          }};
}

// One value that may be absent; printed only when it is there.
template <class S, class T>
Key<S> optional_key(std::string_view name, std::optional<T> S::*member, ValueType<T> type) {
  return {name,
          [=](Reading& reading, const Node& node, const std::string& path, S& into) {
            if (auto value = type.read(reading, node, path)) into.*member = std::move(*value);
          },
          [=](DumpWriter& dump, const S& from, const std::string& path) {
            if (from.*member) dump.value(name, type.print(*(from.*member)), path);
          }};
}

// Text that is printed only when it is not empty.
template <class S>
Key<S> text_key(std::string_view name, std::string S::*member, ValueType<std::string> type) {
  Key<S> result = key(name, member, type);
  result.print = [=](DumpWriter& dump, const S& from, const std::string& path) {
    if (!(from.*member).empty()) dump.value(name, type.print(from.*member), path);
  };
  return result;
}

// A map of its own.
template <class S, class T>
Key<S> nested(std::string_view name, T S::*member, Keys<T> keys) {
  return {name,
          [=](Reading& reading, const Node& node, const std::string& path, S& into) {
            read_map(reading, node, path, into.*member, keys);
          },
          [=](DumpWriter& dump, const S& from, const std::string& path) {
            dump.open(name);
            print_map(dump, from.*member, path, keys);
            dump.close();
          }};
}

// The keys of a member that are written among those of its owner.
template <class S, class T>
Keys<S> inlined(T S::*member, const Keys<T>& keys) {
  Keys<S> result;
  for (const Key<T>& inner : keys)
    result.push_back({inner.name,
                      [=](Reading& reading, const Node& node, const std::string& path, S& into) {
                        inner.read(reading, node, path, into.*member);
                      },
                      [=](DumpWriter& dump, const S& from, const std::string& path) {
                        inner.print(dump, from.*member, path);
                      }});
  return result;
}

}  // namespace viaduct::daemon::config
