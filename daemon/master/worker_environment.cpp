#include "daemon/master/worker_environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

namespace viaduct::daemon::master {

namespace {

constexpr std::chrono::milliseconds kStopMargin{1000};

std::string_view send_file_value(config::SendFile send_file) {
  switch (send_file) {
    case config::SendFile::off:
      return {};
    case config::SendFile::x_accel_redirect:
      return "x-accel-redirect";
    case config::SendFile::x_sendfile:
      return "x-sendfile";
  }
  return {};
}

// How a build with sanitizers is told what to report, and where.
bool is_for_sanitizers([[maybe_unused]] const std::string& name) {
#ifdef VIADUCT_SANITIZED
  return name.ends_with("SAN_OPTIONS") || name.ends_with("SAN_SYMBOLIZER_PATH");
#else
  return false;
#endif
}

}  // namespace

using config::Environment;

Environment own_environment() {
  Environment result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    result.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

Environment worker_environment(const config::AppSettings& app, const std::string& worker,
                               std::uint64_t serial, const Environment& inherited) {
  Environment result = config::worker_environment(app, inherited);
  result["VIADUCT_APP"] = app.name;
  result["VIADUCT_WORKER"] = worker;
  result[std::string(kSerialVariable)] = std::to_string(serial);
  if (app.concurrency.model) {
    const bool fibers = *app.concurrency.model == config::ConcurrencyModel::fibers;
    result["VIADUCT_MODEL"] = fibers ? "fibers" : "threads";
  }
  if (app.concurrency.limit) result["VIADUCT_LIMIT"] = std::to_string(*app.concurrency.limit);
  if (const auto field = send_file_value(app.send_file); !field.empty()) {
    result["VIADUCT_SEND_FILE"] = field;
  }
  if (app.timeouts.stop.count() > 0) {
    // Handlers hear that their time is over before the process is killed.
    const auto margin = std::min<std::chrono::milliseconds>(app.timeouts.stop / 10, kStopMargin);
    result["VIADUCT_STOP_MS"] = std::to_string((app.timeouts.stop - margin).count());
  }
  return result;
}

Environment bridge_environment(const Environment& inherited) {
  constexpr std::array<std::string_view, 6> kNames = {"LANG",   "TZ",          "PATH",
                                                      "TMPDIR", "RES_OPTIONS", "LOCALDOMAIN"};
  Environment result = inherited;
  std::erase_if(result, [&](const auto& entry) {
    const std::string& name = entry.first;
    const bool wanted = std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
                        name.starts_with("LC_") || is_for_sanitizers(name);
    return !wanted;
  });
  return result;
}

std::vector<std::string> to_strings(const Environment& environment) {
  std::vector<std::string> result;
  result.reserve(environment.size());
  for (const auto& [name, value] : environment) {
    std::string& entry = result.emplace_back(name);
    entry += '=';
    entry += value;
  }
  return result;
}

}  // namespace viaduct::daemon::master
