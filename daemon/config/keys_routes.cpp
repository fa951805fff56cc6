// The keys of the routes of a listener.

#include <algorithm>

#include "daemon/config/keys.hpp"
#include "daemon/config/scalars.hpp"

namespace viaduct::daemon::config {
namespace {

constexpr std::uint32_t kMaxRouteLimit = 1'000'000;
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kDigits = "0123456789";

bool consists_of(std::string_view text, std::initializer_list<std::string_view> allowed) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return std::any_of(allowed.begin(), allowed.end(),
                       [c](std::string_view set) { return set.find(c) != set.npos; });
  });
}

// A value made of the text that is written; `make` reports nothing, it answers nothing.
template <class T, class Make, class Print>
ValueType<T> from_text(std::string_view what, Make make, Print print) {
  return {[=](Reading& reading, const Node& node, const std::string& path) -> std::optional<T> {
            const auto written = scalar(reading, node, path, what);
            if (!written) return std::nullopt;
            auto value = make(*written);
            if (!value) reading.report.error(node.origin, path, "expected " + std::string(what));
            return value;
          },
          print};
}

std::optional<std::string> parse_path(std::string_view written) {
  if (!written.starts_with('/') || written.find_first_of("?#*{}") != written.npos) {
    return std::nullopt;
  }
  return std::string(written);
}

ValueType<std::string> whole_path() {
  return from_text<std::string>("a path that begins with /, without ? # * { }", parse_path,
                                quote_yaml);
}

// A prefix of paths. "/blog/" and "/blog" are the same: prefixes end at '/'.
ValueType<std::string> url_prefix() {
  const auto parse = [](std::string_view written) {
    auto prefix = parse_path(written);
    while (prefix && prefix->size() > 1 && prefix->ends_with('/')) prefix->pop_back();
    return prefix;
  };
  return from_text<std::string>("a path that begins with /, without ? # * { }", parse, quote_yaml);
}

std::optional<std::string> parse_host(std::string_view written) {
  if (written.ends_with('.')) written.remove_suffix(1);
  std::string host(written);
  std::transform(host.begin(), host.end(), host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  std::string_view name = host;
  if (name.starts_with('[') && name.ends_with(']')) {
    const std::string_view inside = name.substr(1, name.size() - 2);
    if (inside.empty() || !consists_of(inside, {kDigits, "abcdef:."})) return std::nullopt;
    return host;
  }
  if (name.starts_with("*.")) name.remove_prefix(2);
  if (name.empty() || name.starts_with('.') || name.find("..") != name.npos) return std::nullopt;
  if (!consists_of(name, {kLetters, kDigits, "-._"})) return std::nullopt;
  return host;
}

ValueType<std::string> host_name() {
  return from_text<std::string>("a host such as shop.example.org or *.example.org, without a port",
                                parse_host, quote_yaml);
}

ValueType<std::string> method() {
  const auto parse = [](std::string_view written) -> std::optional<std::string> {
    const bool valid = !written.empty() && consists_of(written, {kLetters.substr(0, 26), "-_"});
    return valid ? std::optional<std::string>(written) : std::nullopt;
  };
  return from_text<std::string>("a method in capital letters, such as GET", parse, quote_yaml);
}

ValueType<std::vector<std::string>> methods() {
  const auto any = list(method());
  return {[=](Reading& reading, const Node& node,
              const std::string& path) -> std::optional<std::vector<std::string>> {
            auto items = any.read(reading, node, path);
            if (!items || !items->empty()) return items;
            reading.report.error(node.origin, path, "expected at least one method");
            return std::nullopt;
          },
          any.print};
}

std::optional<HeaderRule> parse_header(std::string_view written) {
  const std::size_t sign = written.find('=');
  const std::string_view name = written.substr(0, sign);
  if (name.empty() || !consists_of(name, {kLetters, kDigits, "-"})) return std::nullopt;
  HeaderRule rule{std::string(name), std::nullopt};
  if (sign != written.npos) rule.value = written.substr(sign + 1);
  return rule;
}

ValueType<HeaderRule> header_rule() {
  return from_text<HeaderRule>(
      "the name of a header field, or NAME=VALUE", parse_header, [](const HeaderRule& rule) {
        return quote_yaml(rule.value ? rule.name + '=' + *rule.value : rule.name);
      });
}

// Printed only where it says more than "any".
template <class T>
Key<RouteSettings> unless_empty(std::string_view name, std::vector<T> RouteSettings::*member,
                                ValueType<std::vector<T>> type) {
  Key<RouteSettings> result = key(name, member, type);
  result.print = [=](DumpWriter& dump, const RouteSettings& from, const std::string& path) {
    if (!(from.*member).empty()) dump.value(name, type.print(from.*member), path);
  };
  return result;
}

Keys<RouteSettings> route_keys() {
  using R = RouteSettings;
  Keys<R> keys = {
      text_key("host", &R::host, host_name()),
      key("path", &R::path, url_prefix()),
      text_key("exact", &R::exact, whole_path()),
      unless_empty("methods", &R::methods, methods()),
      optional_key("header", &R::header, header_rule()),
      key("mount", &R::mount, boolean()),
      key("app", &R::app, text()),
      key("priority", &R::priority,
          choice<Priority>(
              {{"high", Priority::high}, {"normal", Priority::normal}, {"low", Priority::low}})),
      key("limit", &R::limit, integer(0, kMaxRouteLimit))};
  Key<R>& prefix = keys[1];
  const auto print_prefix = prefix.print;
  prefix.print = [=](DumpWriter& dump, const R& from, const std::string& path) {
    if (from.exact.empty()) print_prefix(dump, from, path);
  };
  return keys;
}

}  // namespace

Key<ListenerSettings> routes_key() {
  const Keys<RouteSettings> keys = route_keys();
  return {"routes",
          [=](Reading& reading, const Node& node, const std::string& path, ListenerSettings& into) {
            if (!detail::check_list(reading, node, path)) return;
            if (node.items.empty())
              reading.report.error(node.origin, path, "expected at least one route");
            for (const NodePtr& item : node.items) {
              const std::string item_path = path + '[' + std::to_string(into.routes.size()) + ']';
              reading.origins[item_path] = item->origin;
              read_map(reading, *item, item_path, into.routes.emplace_back(), keys);
            }
          },
          [=](DumpWriter& dump, const ListenerSettings& from, const std::string& path) {
            if (!from.app.empty()) return;
            const std::size_t written = from.routes.size() - (from.default_app.empty() ? 0 : 1);
            dump.open("routes");
            for (std::size_t index = 0; index < written; ++index) {
              dump.open_item();
              print_map(dump, from.routes[index], path + '[' + std::to_string(index) + ']', keys);
              dump.close();
            }
            dump.close();
          }};
}

}  // namespace viaduct::daemon::config
