#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <viaduct/log.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

using LogSink = std::function<void(Level, std::string_view)>;

/// Directs log lines to `sink` while it lives; to standard error without one. Not nested.
class LogRedirection {
 public:
  explicit LogRedirection(const LogSink& sink);
  LogRedirection(const LogRedirection&) = delete;
  LogRedirection& operator=(const LogRedirection&) = delete;
  ~LogRedirection();
};

/// `text` with control characters as \n, \t or \xNN, so that it stays one line.
[[nodiscard]] std::string one_line(std::string_view text);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
