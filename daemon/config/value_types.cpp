#include "daemon/config/value_types.hpp"

#include <charconv>
#include <filesystem>
#include <variant>

#include "daemon/config/scalars.hpp"
#include "daemon/config/suggestion.hpp"

namespace viaduct::daemon::config {
namespace {

// A scalar whose text `parse` turns into an optional value.
template <class T, class Parse>
ValueType<T> parsed(const std::string& what, Parse parse,
                    std::function<std::string(const T&)> print) {
  return {[=](Reading& reading, const Node& node, const std::string& path) -> std::optional<T> {
            const auto written = scalar(reading, node, path, what);
            if (!written) return std::nullopt;
            std::optional<T> value = parse(*written);
            if (!value) reading.report.error(node.origin, path, "expected " + what);
            return value;
          },
          std::move(print)};
}

// A scalar whose text `parse` turns into a value or an explanation.
template <class T, class Parse>
ValueType<T> explained(const std::string& what, Parse parse,
                       std::function<std::string(const T&)> print) {
  return {[=](Reading& reading, const Node& node, const std::string& path) -> std::optional<T> {
            const auto written = scalar(reading, node, path, what);
            if (!written) return std::nullopt;
            std::variant<T, std::string> value = parse(node, *written);
            if (const auto* problem = std::get_if<std::string>(&value)) {
              reading.report.error(node.origin, path, *problem);
              return std::nullopt;
            }
            return std::move(std::get<0>(value));
          },
          std::move(print)};
}

std::string print_number(double number) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  return {digits, end};
}

std::string either(const std::vector<std::string_view>& words) {
  std::string listed;
  for (std::size_t index = 0; index < words.size(); ++index) {
    if (index > 0) listed += index + 1 == words.size() ? " or " : ", ";
    listed += words[index];
  }
  return listed;
}

}  // namespace

void wrong_kind(Reading& reading, const Node& node, const std::string& path,
                std::string_view what) {
  const char* found = node.kind == Node::Kind::null       ? "nothing"
                      : node.kind == Node::Kind::scalar   ? "text"
                      : node.kind == Node::Kind::sequence ? "a list"
                                                          : "a map";
  reading.report.error(node.origin, path, "expected " + std::string(what) + ", found " + found);
}

std::optional<std::string_view> scalar(Reading& reading, const Node& node, const std::string& path,
                                       std::string_view what) {
  if (node.kind != Node::Kind::scalar) {
    wrong_kind(reading, node, path, what);
    return std::nullopt;
  }
  if (node.text.size() > kMaxTextBytes) {
    reading.report.error(node.origin, path,
                         "at most " + std::to_string(kMaxTextBytes) + " bytes are allowed");
    return std::nullopt;
  }
  return node.text;
}

std::string absolute_path(const Origin& where, std::string_view path) {
  namespace fs = std::filesystem;
  const fs::path base = where ? fs::absolute(*where.file).parent_path() : fs::current_path();
  std::string result = (base / path).lexically_normal().string();
  if (result.size() > 1 && result.back() == '/') result.pop_back();
  return result;
}

ValueType<std::string> text() {
  return parsed<std::string>(
      "text",
      [](std::string_view written) {
        return written.empty() ? std::nullopt : std::optional(std::string(written));
      },
      quote_yaml);
}

ValueType<std::string> any_text() {
  return parsed<std::string>(
      "text", [](std::string_view written) { return std::optional(std::string(written)); },
      quote_yaml);
}

ValueType<bool> boolean() {
  return choice<bool>({{"true", true}, {"false", false}});
}

ValueType<std::uint32_t> integer(std::uint32_t min, std::uint32_t max) {
  return parsed<std::uint32_t>(
      "a whole number from " + std::to_string(min) + " to " + std::to_string(max),
      [=](std::string_view written) -> std::optional<std::uint32_t> {
        const auto number = parse_integer(written);
        if (!number || *number < min || *number > max) return std::nullopt;
        return static_cast<std::uint32_t>(*number);
      },
      [](std::uint32_t number) { return std::to_string(number); });
}

ValueType<double> fraction() {
  return parsed<double>(
      "a number from 0 to 1",
      [](std::string_view written) -> std::optional<double> {
        double number = 0;
        const char* end = written.data() + written.size();
        const auto [stop, failure] = std::from_chars(written.data(), end, number);
        // Written so that NaN, which compares false to everything, is refused.
        if (failure != std::errc{} || stop != end || !(number >= 0 && number <= 1))
          return std::nullopt;
        return number;
      },
      print_number);
}

ValueType<std::chrono::milliseconds> duration() {
  return parsed<std::chrono::milliseconds>("a duration such as 250ms, 30s or 5m", parse_duration,
                                           format_duration);
}

ValueType<std::uint64_t> size(std::uint64_t min) {
  const std::string bound = min == 0 ? "" : ", at least " + format_size(min);
  return parsed<std::uint64_t>(
      "a size such as 64KiB or 16MiB" + bound,
      [=](std::string_view written) {
        const auto bytes = parse_size(written);
        return bytes && *bytes < min ? std::nullopt : bytes;
      },
      format_size);
}

ValueType<mode_t> file_mode(mode_t max) {
  return parsed<mode_t>(
      "an octal mode such as \"0660\"",
      [=](std::string_view written) {
        const auto mode = parse_mode(written);
        return mode && *mode > max ? std::nullopt : mode;
      },
      format_mode);
}

ValueType<int> stop_signal() {
  return parsed<int>(
      "a signal such as SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2 or SIGWINCH",
      [](std::string_view written) {
        const int signal = parse_stop_signal(written);
        return signal == 0 ? std::nullopt : std::optional(signal);
      },
      format_signal);
}

ValueType<std::string> path() {
  return {[](Reading& reading, const Node& node,
             const std::string& path) -> std::optional<std::string> {
            const auto written = scalar(reading, node, path, "a path");
            if (!written) return std::nullopt;
            if (!written->empty()) return absolute_path(node.origin, *written);
            reading.report.error(node.origin, path, "expected a path");
            return std::nullopt;
          },
          quote_yaml};
}

ValueType<EnvFile> env_file_path() {
  return explained<EnvFile>(
      "a path",
      [](const Node& node, std::string_view written) -> std::variant<EnvFile, std::string> {
        const bool optional = written.starts_with('-');
        if (optional) written.remove_prefix(1);
        if (written.empty()) return "expected a path";
        return EnvFile{absolute_path(node.origin, written), optional};
      },
      [](const EnvFile& file) { return quote_yaml((file.optional ? "-" : "") + file.path); });
}

ValueType<Address> address() {
  return explained<Address>(
      "an address such as unix:/path or tcp:HOST:PORT",
      [](const Node& node, std::string_view written) -> std::variant<Address, std::string> {
        auto result = parse_address(written);
        auto* parsed_address = std::get_if<Address>(&result);
        if (!parsed_address || parsed_address->kind != Address::Kind::unix_path) return result;
        return parse_address("unix:" + absolute_path(node.origin, parsed_address->name));
      },
      [](const Address& value) { return quote_yaml(format(value)); });
}

ValueType<protocol::PeerRule> peer_rule() {
  return explained<protocol::PeerRule>(
      "an IP address, a network such as 10.0.0.0/8, uid:NAME or gid:NAME",
      [](const Node&, std::string_view written) { return protocol::parse_peer_rule(written); },
      [](const protocol::PeerRule& rule) { return quote_yaml(rule.text); });
}

ValueType<LogTarget> log_target(LogTarget::Kind extra) {
  using Kind = LogTarget::Kind;
  std::vector<std::pair<std::string_view, Kind>> words = {
      {"stderr", Kind::standard_error}, {"journal", Kind::journal}, {"syslog", Kind::syslog}};
  if (extra == Kind::off) words.push_back({"off", extra});
  if (extra == Kind::inherit) words.push_back({"inherit", extra});
  std::vector<std::string_view> names;
  names.reserve(words.size());
  for (const auto& word : words) names.push_back(word.first);
  auto expected = names;
  expected.push_back("a path with a slash");

  return explained<LogTarget>(
      either(expected),
      [=](const Node& node, std::string_view written) -> std::variant<LogTarget, std::string> {
        for (const auto& [name, kind] : words)
          if (name == written) return LogTarget{kind, {}};
        if (written.find('/') == std::string_view::npos)
          return "expected " + either(expected) + did_you_mean(written, names);
        return LogTarget{Kind::file, absolute_path(node.origin, written)};
      },
      [=](const LogTarget& target) {
        for (const auto& [name, kind] : words)
          if (kind == target.kind) return std::string(name);
        return quote_yaml(target.path);
      });
}

namespace detail {

std::optional<std::size_t> choose(Reading& reading, const Node& node, const std::string& path,
                                  const std::vector<std::string_view>& words) {
  const auto written = scalar(reading, node, path, either(words));
  if (!written) return std::nullopt;
  for (std::size_t index = 0; index < words.size(); ++index)
    if (words[index] == *written) return index;
  reading.report.error(node.origin, path,
                       "expected " + either(words) + did_you_mean(*written, words));
  return std::nullopt;
}

bool check_list(Reading& reading, const Node& node, const std::string& path) {
  if (node.kind == Node::Kind::null) return true;
  if (node.kind != Node::Kind::sequence) {
    wrong_kind(reading, node, path, "a list");
    return false;
  }
  if (node.items.size() <= kMaxListItems) return true;
  reading.report.error(node.origin, path,
                       "at most " + std::to_string(kMaxListItems) + " items are allowed");
  return false;
}

}  // namespace detail
}  // namespace viaduct::daemon::config
