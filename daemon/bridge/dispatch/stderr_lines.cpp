#include "daemon/bridge/dispatch/stderr_lines.hpp"

#include <algorithm>

namespace viaduct::daemon::bridge {

namespace {

std::string_view without_cr(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

void StderrLines::feed(std::string_view text, const Sink& sink) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t room = kMaxLine - partial_.size();
    const std::size_t taken = std::min({end, room, text.size()});
    partial_ += text.substr(0, taken);
    const bool at_line_end = taken == end;
    text.remove_prefix(taken + (at_line_end ? 1 : 0));
    if (at_line_end || partial_.size() == kMaxLine) finish(sink);
  }
}

void StderrLines::finish(const Sink& sink) {
  if (const auto line = without_cr(partial_); !line.empty()) sink(line);
  partial_.clear();
}

}  // namespace viaduct::daemon::bridge
