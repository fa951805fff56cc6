#include "daemon/config/keys_isolation.hpp"

#include <cstdlib>

#include "daemon/config/scalars.hpp"
#include "daemon/config/suggestion.hpp"

namespace viaduct::daemon::config {
namespace {

constexpr std::uint32_t kMaxCpu = 1023;         // number of a CPU, as cpu_set_t holds them
constexpr std::uint32_t kMaxPercent = 102'400;  // 1024 CPUs
constexpr std::uint32_t kMaxPids = 4'194'304;   // the kernel's own limit of process numbers
constexpr std::uint32_t kMaxFiles = 1u << 30;   // of fs.nr_open

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
          [](const int& nice) { return std::to_string(nice); }};
}

// A directory, or "" for none; "/" is none as well.
ValueType<std::string> root_directory() {
  return {[](Reading& reading, const Node& node,
             const std::string& path) -> std::optional<std::string> {
            const auto written = scalar(reading, node, path, "a path");
            if (!written || written->empty()) return written ? std::optional("") : std::nullopt;
            std::string root = absolute_path(node.origin, *written);
            return root == "/" ? std::string() : root;
          },
          quote_yaml};
}

ValueType<int> capability() {
  return {[](Reading& reading, const Node& node, const std::string& path) -> std::optional<int> {
            constexpr std::string_view kWhat = "a capability such as CAP_NET_BIND_SERVICE";
            const auto written = scalar(reading, node, path, kWhat);
            if (!written) return std::nullopt;
            const auto number = capability_number(*written);
            if (!number)
              reading.report.error(
                  node.origin, path,
                  "expected " + std::string(kWhat) + did_you_mean(*written, capability_names()));
            return number;
          },
          [](const int& number) { return std::string(capability_name(number)); }};
}

}  // namespace

Keys<Isolation> isolation_keys() {
  using I = Isolation;
  return {key("chroot", &I::chroot, root_directory()),
          key("nice", &I::nice, nice_value()),
          key("cpus", &I::cpus, list(integer(0, kMaxCpu))),
          key("no_new_privs", &I::no_new_privs, boolean()),
          optional_key("capabilities", &I::capabilities, list(capability())),
          key("private_tmp", &I::private_tmp, boolean()),
          key("read_only", &I::read_only, list(path())),
          key("memory", &I::memory, size(0)),
          key("cpu", &I::cpu, integer(0, kMaxPercent)),
          key("pids", &I::pids, integer(0, kMaxPids)),
          key("nofile", &I::nofile, integer(0, kMaxFiles)),
          optional_key("core", &I::core, size(0)),
          key("optional", &I::optional, boolean())};
}

}  // namespace viaduct::daemon::config
