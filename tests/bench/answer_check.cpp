#include "tests/bench/answer_check.hpp"

#include <strings.h>

#include <charconv>
#include <optional>

namespace viaduct::bench {
namespace {

constexpr std::string_view kStatus = "Status:";

std::optional<int> status_value(std::string_view value) {
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  int status = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), status);
  if (error != std::errc{} || end != value.data() + 3) return std::nullopt;
  return status;
}

}  // namespace

bool AnswerCheck::parsed_right(std::string_view output) const {
  int status = 200;
  while (true) {
    const std::size_t newline = output.find('\n');
    if (newline == std::string_view::npos) return false;
    std::string_view line = output.substr(0, newline);
    output.remove_prefix(newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) return status == status_ && output == body_;
    if (line.size() < kStatus.size() ||
        strncasecmp(line.data(), kStatus.data(), kStatus.size()) != 0) {
      continue;
    }
    const std::optional<int> given = status_value(line.substr(kStatus.size()));
    if (!given) return false;
    status = *given;
  }
}

}  // namespace viaduct::bench
