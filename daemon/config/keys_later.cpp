#include "daemon/config/keys_later.hpp"

#include "daemon/config/scalars.hpp"

namespace viaduct::daemon::config {
namespace {

// "5%": a share of the requests.
ValueType<std::uint32_t> percentage() {
  return {[](Reading& reading, const Node& node,
             const std::string& path) -> std::optional<std::uint32_t> {
            const auto written = scalar(reading, node, path, "a percentage such as 5%");
            if (!written) return std::nullopt;
            const bool sign = written->ends_with('%');
            const auto number = parse_integer(written->substr(0, written->size() - (sign ? 1 : 0)));
            if (sign && number && *number <= 100) return static_cast<std::uint32_t>(*number);
            reading.report.error(node.origin, path, "expected a percentage such as 5%");
            return std::nullopt;
          },
          nullptr};
}

// -20 to 19.
ValueType<int> nice_value() {
  return {[](Reading& reading, const Node& node, const std::string& path) -> std::optional<int> {
            constexpr std::string_view kWhat = "a whole number from -20 to 19";
            const auto written = scalar(reading, node, path, kWhat);
            if (!written) return std::nullopt;
            const bool minus = written->starts_with('-');
            const auto number = parse_integer(written->substr(minus ? 1 : 0));
            if (number && *number <= (minus ? 20u : 19u))
              return minus ? -static_cast<int>(*number) : static_cast<int>(*number);
            reading.report.error(node.origin, path, "expected " + std::string(kWhat));
            return std::nullopt;
          },
          nullptr};
}

// No switch: these come into force one by one, and each has a value that changes nothing.
Keys<Nothing> isolation_keys() {
  using Texts = std::vector<std::string>;
  using Numbers = std::vector<std::uint32_t>;
  const auto count = integer(0, UINT32_MAX);
  return {refused_unless<Nothing>("chroot", std::string(), any_text()),
          refused_unless<Nothing>("nice", 0, nice_value()),
          refused_unless<Nothing>("cpus", Numbers(), list(integer(0, 1023))),
          refused_unless<Nothing>("no_new_privs", false, boolean()),
          refused_unless<Nothing>("capabilities", Texts(), list(text())),
          refused_unless<Nothing>("private_tmp", false, boolean()),
          refused_unless<Nothing>("read_only", Texts(), list(text())),
          refused_unless<Nothing>("memory", std::uint64_t{0}, size(0)),
          refused_unless<Nothing>("cpu", std::uint32_t{0}, count),
          refused_unless<Nothing>("pids", std::uint32_t{0}, count),
          refused_unless<Nothing>("nofile", std::uint32_t{0}, count),
          refused_unless<Nothing>("core", std::uint64_t{0}, size(0))};
}

Key<AppSettings> isolation() {
  return {"isolation",
          [](Reading& reading, const Node& node, const std::string& path, AppSettings&) {
            Nothing nothing;
            read_map(reading, node, path, nothing, isolation_keys());
          },
          nullptr};
}

}  // namespace

Keys<AppSettings> keys_of_later_versions() {
  using A = AppSettings;
  enum class Protocol { fastcgi, scgi, uwsgi };
  enum class Multiplex { never, automatic };
  return {refused<A>("connect", list(address())),
          refused<A>("protocol", choice<Protocol>({{"fastcgi", Protocol::fastcgi},
                                                   {"scgi", Protocol::scgi},
                                                   {"uwsgi", Protocol::uwsgi}})),
          refused_unless<A>("keepalive", false, boolean()),
          refused_unless<A>(
              "multiplex", Multiplex::never,
              choice<Multiplex>({{"never", Multiplex::never}, {"auto", Multiplex::automatic}})),
          refused_map<A>("health", {refused_values("interval", duration()),
                                    refused_values("fail", integer(1, 1000)),
                                    refused_values("pass", integer(1, 1000))}),
          refused_map<A>("canary",
                         {refused_values("command", list(text())),
                          refused_values("share", percentage()), refused_values("header", text())}),
          isolation()};
}

}  // namespace viaduct::daemon::config
