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
          refused<A>("slow_log", path()),
          refused_map<A>(
              "canary", {refused_values("command", list(text())),
                         refused_values("share", percentage()), refused_values("header", text())})};
}

}  // namespace viaduct::daemon::config
