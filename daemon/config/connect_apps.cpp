#include "daemon/config/connect_apps.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include "daemon/config/schema.hpp"

namespace viaduct::daemon::config {
namespace {

constexpr std::array<std::string_view, 17> kWorkerKeys = {
    "command", "directory", "env",         "env_file",  "clear_env", "user",
    "group",   "groups",    "allow_root",  "umask",     "isolation", "workers",
    "poison",  "probe",     "stop_signal", "crash_dir", "canary"};

constexpr std::array<std::string_view, 5> kServerKeys = {"connect", "protocol", "keepalive",
                                                         "multiplex", "health"};

struct NestedKey {
  std::string_view map;
  std::string_view key;
};

constexpr std::array<NestedKey, 4> kNestedWorkerKeys = {
    {{"concurrency", "model"}, {"limits", "requests"}, {"limits", "age"}, {"limits", "memory"}}};

NodePtr without(const Node& map, bool (*dropped)(std::string_view key)) {
  auto rest = std::make_shared<Node>(map);
  std::erase_if(rest->entries, [&](const Entry& entry) { return dropped(entry.key); });
  return rest;
}

bool is_off(const Node& value) {
  return value.kind == Node::Kind::scalar && value.text == "0";
}

void refuse(Reading& reading, const Entry& entry, const std::string& path) {
  reading.report.error(entry.origin, join(path, entry.key),
                       "not allowed with \"connect\": others run the servers of this app");
}

}  // namespace

bool is_worker_key(std::string_view key) {
  return std::find(kWorkerKeys.begin(), kWorkerKeys.end(), key) != kWorkerKeys.end();
}

bool is_server_key(std::string_view key) {
  return std::find(kServerKeys.begin(), kServerKeys.end(), key) != kServerKeys.end();
}

bool connects_to_servers(const Node& own, const Node* defaults) {
  if (find_entry(own, "command") != nullptr) return false;
  if (find_entry(own, "connect") != nullptr) return true;
  return defaults != nullptr && find_entry(*defaults, "connect") != nullptr &&
         find_entry(*defaults, "command") == nullptr;
}

NodePtr without_worker_keys(const Node& defaults) {
  return without(defaults, is_worker_key);
}

NodePtr without_connect(const Node& defaults, const Node& own) {
  if (find_entry(own, "command") == nullptr) return std::make_shared<Node>(defaults);
  return without(defaults, is_server_key);
}

void finish_connect_app(Reading& reading, const Node& own, const std::string& path,
                        AppSettings& app) {
  for (const Entry& entry : own.entries)
    if (is_worker_key(entry.key)) refuse(reading, entry, path);
  for (const auto& [map, key] : kNestedWorkerKeys) {
    const Entry* outer = find_entry(own, map);
    const Entry* inner = outer == nullptr ? nullptr : find_entry(*outer->value, key);
    if (inner != nullptr && !is_off(*inner->value)) refuse(reading, *inner, join(path, map));
  }
  app.directory.clear();
  app.workers = {.min = 0, .max = 0};
  app.concurrency.model.reset();
  app.limits.requests = 0;
  app.limits.age = {};
  app.limits.memory = 0;
}

}  // namespace viaduct::daemon::config
