#include "daemon/config/scalars.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <limits>
#include <utility>

namespace viaduct::daemon::config {
namespace {

constexpr std::uint64_t kMaxDurationMs = 36'500ull * 24 * 3600 * 1000;
constexpr std::uint64_t kMaxSize = std::numeric_limits<std::int64_t>::max();

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array kDurations{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                Unit{"s", 1'000}, Unit{"ms", 1}};
constexpr std::array kSizes{Unit{"TiB", 1ull << 40}, Unit{"GiB", 1ull << 30},
                            Unit{"MiB", 1ull << 20}, Unit{"KiB", 1ull << 10}};
constexpr std::array kSignals{
    std::pair{"SIGTERM", SIGTERM}, std::pair{"SIGINT", SIGINT},     std::pair{"SIGQUIT", SIGQUIT},
    std::pair{"SIGHUP", SIGHUP},   std::pair{"SIGUSR1", SIGUSR1},   std::pair{"SIGUSR2", SIGUSR2},
    std::pair{"SIGABRT", SIGABRT}, std::pair{"SIGWINCH", SIGWINCH}, std::pair{"SIGKILL", SIGKILL}};

template <class Units>
std::optional<std::uint64_t> parse_with_unit(std::string_view text, const Units& units,
                                             std::uint64_t max) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_integer(text.substr(0, digits));
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& candidate) {
    return candidate.name == text.substr(digits);
  });
  if (!number || unit == units.end() || *number > max / unit->factor) return std::nullopt;
  return *number * unit->factor;
}

template <class Units>
std::string format_with_unit(std::uint64_t number, const Units& units) {
  for (const Unit& unit : units)
    if (number != 0 && number % unit.factor == 0)
      return std::to_string(number / unit.factor) + std::string(unit.name);
  return std::to_string(number);
}

}  // namespace

std::optional<std::uint64_t> parse_integer(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds(0);
  const auto duration = parse_with_unit(text, kDurations, kMaxDurationMs);
  if (!duration) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*duration));
}

std::string format_duration(std::chrono::milliseconds duration) {
  return format_with_unit(static_cast<std::uint64_t>(duration.count()), kDurations);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto bytes = parse_integer(text);
  if (bytes) return *bytes <= kMaxSize ? bytes : std::nullopt;
  return parse_with_unit(text, kSizes, kMaxSize);
}

std::string format_size(std::uint64_t bytes) {
  return format_with_unit(bytes, kSizes);
}

std::optional<mode_t> parse_mode(std::string_view text) {
  if (text.starts_with("0o")) text.remove_prefix(2);
  if (text.size() < 3 || text.size() > 4) return std::nullopt;
  unsigned mode = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, mode, 8);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return mode;
}

std::string format_mode(mode_t mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
  return '"' + std::string(text) + '"';
}

int parse_stop_signal(std::string_view text) {
  const auto found = std::find_if(kSignals.begin(), kSignals.end(),
                                  [&](const auto& signal) { return text == signal.first; });
  return found == kSignals.end() ? 0 : found->second;
}

std::string format_signal(int signal) {
  return std::string("SIG") + sigabbrev_np(signal);
}

std::string quote_yaml(std::string_view text) {
  constexpr std::string_view kSafe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@%=";
  constexpr std::array<std::string_view, 8> kWords{"null", "true", "false", "yes",
                                                   "no",   "on",   "off",   ""};
  std::string lower(text);
  for (char& c : lower) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
  const bool word = std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
  const bool number = !text.empty() && (std::isdigit(static_cast<unsigned char>(text[0])) ||
                                        std::strchr("-+.@%=", text[0]) != nullptr);
  // A colon is plain text unless a blank or the end follows it.
  std::string without_colons(text);
  if (!text.empty() && text.back() != ':' && text.front() != ':') std::erase(without_colons, ':');
  if (!word && !number && without_colons.find_first_not_of(kSafe) == std::string::npos)
    return std::string(text);

  std::string quoted = "\"";
  for (const char c : text) {
    char escaped[8];
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(c));
      quoted += escaped;
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace viaduct::daemon::config
