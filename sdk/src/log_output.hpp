#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <viaduct/export.hpp>
#include <viaduct/log.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

using LogSink = std::function<void(Level, std::string_view)>;

/// Directs log lines to `sink`, which outlives it, while it lives; without one to standard error.
/// Of several the last one made gets the lines; they may end in any order. Exported from a shared
/// libviaduct for libviaduct_testing.
class VIADUCT_API LogRedirection {
 public:
  explicit LogRedirection(const LogSink& sink);
  LogRedirection(const LogRedirection&) = delete;
  LogRedirection& operator=(const LogRedirection&) = delete;
  ~LogRedirection();

  /// Writes an escaped line where it would have gone without this redirection.
  void pass_on(Level level, std::string_view line) const;

 private:
  const LogSink* sink_;  // null: standard error
};

/// `text` with control characters as \n, \t or \xNN, so that it stays one line.
[[nodiscard]] std::string one_line(std::string_view text);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
