// The kinds of value that keys have: how a node is read as one, and how it is printed as YAML.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/config/app_settings.hpp"
#include "daemon/config/document.hpp"
#include "protocol/peer_rule.hpp"

namespace viaduct::daemon::config {

inline constexpr std::size_t kMaxMapEntries = 1024;   // in one map, apps included
inline constexpr std::size_t kMaxListItems = 1024;    // in one list, routes of a listener included
inline constexpr std::size_t kMaxTextBytes = 32'768;  // in one value

// Where findings and origins go while a configuration is read.
struct Reading {
  Report& report;
  Origins& origins;
};

// read() reports what is wrong and then answers nothing.
template <class T>
struct ValueType {
  std::function<std::optional<T>(Reading&, const Node&, const std::string& path)> read;
  std::function<std::string(const T&)> print;
};

// Reports "expected WHAT, found a list".
void wrong_kind(Reading& reading, const Node& node, const std::string& path, std::string_view what);

// The text of a scalar; anything else is reported as not being WHAT.
std::optional<std::string_view> scalar(Reading& reading, const Node& node, const std::string& path,
                                       std::string_view what);

// `path` made absolute against the directory of the file in which `where` lies.
std::string absolute_path(const Origin& where, std::string_view path);

// Any text but an empty one / any text.
ValueType<std::string> text();
ValueType<std::string> any_text();
ValueType<bool> boolean();
ValueType<std::uint32_t> integer(std::uint32_t min, std::uint32_t max);
ValueType<double> fraction();  // 0 to 1
ValueType<std::chrono::milliseconds> duration();
ValueType<std::uint64_t> size(std::uint64_t min);  // 0 is always allowed when min is 0
ValueType<mode_t> file_mode(mode_t max);           // 0777 for files, also for umask
ValueType<int> stop_signal();
ValueType<std::string> path();       // made absolute
ValueType<EnvFile> env_file_path();  // made absolute; a leading '-' makes it optional
ValueType<Address> address();
ValueType<protocol::PeerRule> peer_rule();
// A destination of log lines. `extra` is the kind that is allowed besides the common ones.
ValueType<LogTarget> log_target(LogTarget::Kind extra);
// One of a few words, each with the value it stands for.
template <class T>
ValueType<T> choice(std::vector<std::pair<std::string_view, T>> words);
// At most kMaxListItems items; null is an empty list.
template <class T>
ValueType<std::vector<T>> list(ValueType<T> item);

namespace detail {
std::optional<std::size_t> choose(Reading& reading, const Node& node, const std::string& path,
                                  const std::vector<std::string_view>& words);
bool check_list(Reading& reading, const Node& node, const std::string& path);
}  // namespace detail

template <class T>
ValueType<T> choice(std::vector<std::pair<std::string_view, T>> words) {
  return {[=](Reading& reading, const Node& node, const std::string& path) -> std::optional<T> {
            std::vector<std::string_view> names;
            names.reserve(words.size());
            for (const auto& word : words) names.push_back(word.first);
            const auto index = detail::choose(reading, node, path, names);
            if (!index) return std::nullopt;
            return words[*index].second;
          },
          [=](const T& value) {
            const auto word = std::find_if(words.begin(), words.end(),
                                           [&](const auto& pair) { return pair.second == value; });
            return word == words.end() ? std::string() : std::string(word->first);
          }};
}

template <class T>
ValueType<std::vector<T>> list(ValueType<T> item) {
  return {[=](Reading& reading, const Node& node,
              const std::string& path) -> std::optional<std::vector<T>> {
            if (!detail::check_list(reading, node, path)) return std::nullopt;
            std::vector<T> items;
            bool complete = true;
            for (const NodePtr& child : node.items) {
              const std::string child_path = path + '[' + std::to_string(items.size()) + ']';
              reading.origins[child_path] = child->origin;
              auto value = item.read(reading, *child, child_path);
              complete = complete && value;
              items.push_back(value ? std::move(*value) : T());
            }
            if (!complete) return std::nullopt;
            return items;
          },
          [=](const std::vector<T>& items) {
            std::string printed;
            for (const T& value : items)
              printed += (printed.empty() ? "" : ", ") + item.print(value);
            return '[' + printed + ']';
          }};
}

}  // namespace viaduct::daemon::config
