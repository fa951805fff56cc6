#include "daemon/config/descriptor_need.hpp"

#include <algorithm>

#include "daemon/config/bridge_settings.hpp"
#include "daemon/config/canary.hpp"
#include "daemon/config/checking.hpp"

namespace viaduct::daemon::config {
namespace {

constexpr std::uint64_t kOfProcess = 64;
constexpr std::uint64_t kOfThread = 8;  // polling, timers, a reserve, questions to DNS
constexpr std::uint64_t kFilesOfConnection = 2;
constexpr std::uint64_t kLogsOfApp = 2;
constexpr std::uint64_t kGenerations = 2;  // that have workers of their own during a reload
constexpr std::uint64_t kOfWorker = 3;     // in the master: standard error, reports, cgroup
constexpr std::uint64_t kOfApp = 4;        // in the master: the pinned program, logs

std::uint64_t links_to(const AppSettings& app, std::uint64_t threads) {
  const std::uint64_t requests = app.concurrency.limit.value_or(kServerConcurrency);
  if (!app.connect.empty()) return app.connect.size() * requests;
  return kGenerations * app.workers.max * threads;
}

}  // namespace

DescriptorNeed descriptor_need(const Settings& settings) {
  DescriptorNeed need;
  const std::uint64_t threads = settings.bridge.threads;
  need.connections = settings.limits.connections;
  need.files = kFilesOfConnection * need.connections;
  for (const AppSettings& app : pools_of(settings)) need.links += links_to(app, threads);
  need.threads = threads * (kOfThread + settings.listeners.size());
  need.others = kOfProcess + settings.listeners.size() + kLogsOfApp * settings.apps.size();
  return need;
}

std::uint64_t descriptors_of_master(const Settings& settings) {
  std::uint64_t need = 2 * kOfProcess + kGenerations * settings.listeners.size();
  for (const AppSettings& app : pools_of(settings)) {
    need += kOfApp + kGenerations * kOfWorker * app.workers.max;
  }
  return need;
}

std::string describe(const DescriptorNeed& need) {
  return std::to_string(need.total()) + " descriptors: " + std::to_string(need.connections) +
         " for connections, " + std::to_string(need.files) +
         " for files of requests and responses, " + std::to_string(need.links) + " for links, " +
         std::to_string(need.threads) + " for threads, " + std::to_string(need.others) +
         " for others";
}

void check_descriptors(const Checking& check) {
  const DescriptorNeed need = descriptor_need(check.settings);
  const std::uint64_t most = check.system.most_descriptors();
  if (check.purpose == Purpose::reload || need.total() <= most) return;
  // With a connection less it would be too much as well.
  const bool too_many_threads = need.total() - need.connections - need.files >= most;
  check.warning(too_many_threads ? "bridge.threads" : "limits.connections",
                "the bridge needs up to " + describe(need) + "; it may have " +
                    std::to_string(most) +
                    " (LimitNOFILE= of the unit, ulimit -Hn): beyond, connections wait and "
                    "requests are answered 503");
}

}  // namespace viaduct::daemon::config
