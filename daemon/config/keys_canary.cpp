#include <charconv>
#include <string>

#include "daemon/config/canary.hpp"
#include "daemon/config/keys.hpp"
#include "daemon/config/scalars.hpp"

namespace viaduct::daemon::config {
namespace {

constexpr std::string_view kWhat = "a percentage such as 5% or 0.5%, at most 100%";

// In hundredths of a percent.
std::optional<std::uint32_t> parse_share(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  const std::size_t point = text.find('.');
  const auto whole = parse_integer(text.substr(0, point));
  if (!whole || *whole > 100) return std::nullopt;
  std::uint64_t part = 0;
  if (point != text.npos) {
    std::string digits(text.substr(point + 1));
    if (digits.empty() || digits.size() > 2) return std::nullopt;
    digits.resize(2, '0');
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + 2, part);
    if (error != std::errc() || end != digits.data() + 2) return std::nullopt;
  }
  const std::uint64_t share = *whole * 100 + part;
  if (share > kWholeShare) return std::nullopt;
  return static_cast<std::uint32_t>(share);
}

ValueType<std::uint32_t> share() {
  return {[](Reading& reading, const Node& node,
             const std::string& path) -> std::optional<std::uint32_t> {
            const auto written = scalar(reading, node, path, kWhat);
            if (!written) return std::nullopt;
            const auto value = parse_share(*written);
            if (!value) reading.report.error(node.origin, path, "expected " + std::string(kWhat));
            return value;
          },
          format_share};
}

ValueType<std::string> field_name() {
  ValueType<std::string> any = text();
  return {[=](Reading& reading, const Node& node,
              const std::string& path) -> std::optional<std::string> {
            auto name = any.read(reading, node, path);
            constexpr std::string_view kAllowed =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
            if (!name || name->find_first_not_of(kAllowed) == name->npos) return name;
            reading.report.error(node.origin, path,
                                 "expected the name of a header field: letters, digits and -");
            return std::nullopt;
          },
          any.print};
}

}  // namespace

Key<AppSettings> canary_key() {
  const Keys<CanarySettings> keys = {key("command", &CanarySettings::command, command_line()),
                                     key("share", &CanarySettings::share, share()),
                                     text_key("header", &CanarySettings::header, field_name())};
  return {"canary",
          [=](Reading& reading, const Node& node, const std::string& path, AppSettings& into) {
            CanarySettings canary = into.canary.value_or(CanarySettings{});
            read_map(reading, node, path, canary, keys);
            into.canary = std::move(canary);
          },
          [=](DumpWriter& dump, const AppSettings& from, const std::string& path) {
            if (!from.canary) return;
            dump.open("canary");
            print_map(dump, *from.canary, path, keys);
            dump.close();
          }};
}

}  // namespace viaduct::daemon::config
