#include "daemon/config/load.hpp"

#include <algorithm>
#include <map>

#include "daemon/config/app_name.hpp"
#include "daemon/config/checking.hpp"
#include "daemon/config/connect_apps.hpp"
#include "daemon/config/keys.hpp"
#include "daemon/config/sources.hpp"

namespace viaduct::daemon::config {
namespace {

constexpr std::uint32_t kMinWorkers = 2;

class Loader {
 public:
  Loader(const System& system, Purpose purpose) : system_(system), purpose_(purpose) {}

  LoadResult run(const std::filesystem::path& file) {
    settings_.file = file.string();
    const NodePtr main = read_document(file, report_);
    const bool readable = report_.errors().empty();
    read_map(reading_, *main, {}, settings_, settings_keys());
    std::vector<NodePtr> documents = {main};
    for (NodePtr& included : read_included(*main, report_)) {
      read_map(reading_, *included, {}, settings_, included_keys());
      documents.push_back(std::move(included));
    }
    read_defaults(*main);
    for (const NodePtr& document : documents) {
      if (const Entry* apps = find_entry(*document, "apps")) read_apps(*apps->value);
      if (const Entry* listeners = find_entry(*document, "listeners"))
        read_listeners(*listeners->value);
    }
    if (readable) check();

    LoadResult result;
    result.errors = report_.errors();
    result.warnings = report_.warnings();
    result.broken_apps = report_.broken_apps();
    if (result.errors.empty()) {
      result.settings = std::move(settings_);
    } else if (readable) {
      result.draft = std::move(settings_);
    }
    return result;
  }

 private:
  void read_defaults(const Node& main) {
    const Entry* entry = find_entry(main, "defaults");
    if (!entry) return;
    defaults_ = entry->value;
    AppSettings unused;
    read_map(reading_, *defaults_, "defaults", unused, app_keys());
  }

  void read_apps(const Node& apps) {
    if (!detail::check_map(reading_, apps, "apps")) return;
    for (const Entry& entry : apps.entries) {
      if (entry.key == "<<") continue;
      const std::string path = join("apps", entry.key);
      const std::string problem = app_name_problem(entry.key);
      if (!problem.empty()) report_.error(entry.origin, path, problem);
      const auto [first, is_new] = settings_.origins.emplace(path, entry.origin);
      if (!is_new) {
        report_.error(entry.origin, path,
                      "duplicate key; it was first set at " + format(first->second));
        continue;
      }
      if (settings_.apps.size() == kMaxApps) {
        report_.error(entry.origin, path,
                      "at most " + std::to_string(kMaxApps) + " apps are allowed");
        return;
      }
      read_app(entry, path);
    }
  }

  void read_app(const Entry& entry, const std::string& path) {
    AppSettings& app = settings_.apps.emplace_back();
    app.name = entry.key;
    app.workers.min = app.workers.max = std::max(system_.cpus_allowed(), kMinWorkers);
    app.directory = absolute_path(entry.origin, ".");
    const bool connects = connects_to_servers(*entry.value, defaults_.get());
    NodePtr value = entry.value;
    NodePtr defaults = defaults_;
    if (defaults)
      defaults = connects ? without_worker_keys(*defaults) : without_connect(*defaults, *value);
    if (defaults && value->kind == Node::Kind::null)
      value = defaults;
    else if (defaults)
      value = merge_maps(value, defaults);
    read_map(reading_, *value, path, app, app_keys());
    if (connects) finish_connect_app(reading_, *entry.value, path, app);
  }

  void read_listeners(const Node& listeners) {
    if (!detail::check_list(reading_, listeners, "listeners")) return;
    for (const NodePtr& item : listeners.items) {
      const std::string path = listener_path(settings_.listeners.size());
      if (settings_.listeners.size() == kMaxListeners) {
        report_.error(item->origin, path,
                      "at most " + std::to_string(kMaxListeners) + " listeners are allowed");
        return;
      }
      settings_.origins[path] = item->origin;
      read_map(reading_, *item, path, settings_.listeners.emplace_back(), listener_keys());
    }
  }

  void check() {
    set_runtime_dir();
    const Checking checking{settings_, system_, purpose_, report_};
    if (!checking.written("control.address"))
      settings_.control.address.name = settings_.runtime_dir + "/control.sock";
    check_structure(checking);
    resolve_accounts(checking);
    check_isolation(checking);
    resolve_commands(checking);
    check_crash_dirs(checking);
    check_directories(checking);
    check_sandbox(checking);
    check_spool(checking);
    check_descriptors(checking);
  }

  void set_runtime_dir() {
    if (!settings_.runtime_dir.empty()) return;
    if (const auto given = system_.environment("RUNTIME_DIRECTORY"); given && !given->empty()) {
      settings_.runtime_dir = given->substr(0, given->find(':'));  // systemd lists several
    } else if (system_.effective_user() == 0) {
      settings_.runtime_dir = "/run/viaduct";
    } else if (const auto own = system_.environment("XDG_RUNTIME_DIR"); own && !own->empty()) {
      settings_.runtime_dir = *own + "/viaduct";
    } else if (!settings_.origins.contains("runtime_dir")) {
      report_.error({}, "runtime_dir",
                    "expected a directory: neither $RUNTIME_DIRECTORY nor $XDG_RUNTIME_DIR is set, "
                    "and viaductd does not run as root");
    }
  }

  const System& system_;
  Purpose purpose_;
  Report report_;
  Settings settings_;
  Reading reading_{report_, settings_.origins};
  NodePtr defaults_;
};

}  // namespace

std::string app_name_problem(std::string_view name) {
  return is_app_name(name) ? "" : "expected a name of 1 to 64 letters, digits, - and _";
}

LoadResult load(const std::filesystem::path& file, Purpose purpose) {
  return load(file, purpose, real_system());
}

LoadResult load(const std::filesystem::path& file, Purpose purpose, const System& system) {
  return Loader(system, purpose).run(file);
}

}  // namespace viaduct::daemon::config
